"""What the files of a model say about it, read without loading them."""
