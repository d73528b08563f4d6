"""Commands that let a model continue prompts by one method, a file each."""
