"""What makes models repeat themselves: doses, responses, and what remains under a null."""
