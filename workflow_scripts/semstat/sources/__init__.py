"""Where models and corpora come from: a command a source."""
