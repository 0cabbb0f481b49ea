"""The content of a bundle: one module per group of objects, one template per file."""
