"""What models are trained towards: cross entropy, the energy barrier, and its peers."""
