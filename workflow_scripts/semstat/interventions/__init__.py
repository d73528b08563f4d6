"""What is changed in a model while it runs, a file a kind; none imports another."""
