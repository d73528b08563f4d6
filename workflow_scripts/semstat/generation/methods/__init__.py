"""Methods of choosing the next token of many runs, a file each."""
