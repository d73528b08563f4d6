"""How much of a space of states has an energy of at most E."""
