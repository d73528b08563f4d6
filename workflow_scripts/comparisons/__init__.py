"""Two ensembles side by side."""
