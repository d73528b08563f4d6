"""Commands of the stage training."""
