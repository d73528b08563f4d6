"""Sweeps of the sampling temperature, and where texts begin to loop."""
