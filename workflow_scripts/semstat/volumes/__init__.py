"""How much of a space has an energy of at most E: samplers, spaces, errors."""
