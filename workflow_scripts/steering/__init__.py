"""Steering of hidden states."""
