"""Loops longer than a token."""
