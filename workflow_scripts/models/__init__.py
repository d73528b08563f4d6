"""Models as the commands that run them take them."""
