"""Corpora as a model's tokens, and the ensembles made of them."""
