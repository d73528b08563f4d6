"""Tokens that a model writes itself."""
