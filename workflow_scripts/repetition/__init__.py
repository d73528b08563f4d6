"""What the energy does as a unit is repeated."""
