"""What a bundle holds: one module a group of objects, one template a file."""
