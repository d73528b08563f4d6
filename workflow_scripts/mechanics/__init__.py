"""Momentum point-perplexity mechanics."""
