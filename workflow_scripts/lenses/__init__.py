"""Tuned lenses."""
