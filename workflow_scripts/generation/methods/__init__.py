"""Commands that let a model write by one method, a file each."""
