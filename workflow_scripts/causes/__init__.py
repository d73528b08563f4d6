"""What makes models repeat themselves."""
