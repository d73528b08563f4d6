"""Energies of states, layer by layer."""
