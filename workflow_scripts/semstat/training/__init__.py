"""Physics of the stage training."""
