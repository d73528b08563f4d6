"""Ensembles made of documents, a command each: this folder is the list of them."""
