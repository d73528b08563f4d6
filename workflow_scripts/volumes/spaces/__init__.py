"""Spaces and their measures, a command each."""
