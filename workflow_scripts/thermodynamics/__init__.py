"""From energies to densities of states and curves."""
