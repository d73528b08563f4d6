"""A causal language model's residual stream, and its decode."""
