"""Statistical mechanics of language models: pure functions on arrays and tensors."""
