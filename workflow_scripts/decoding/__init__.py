"""Methods of writing, compared."""
