"""The attention of a model's layers, and what goes with it."""
