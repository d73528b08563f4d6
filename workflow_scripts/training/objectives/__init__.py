"""Objectives of training, a command each; none is imported by another."""
