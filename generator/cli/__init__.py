"""One module a command: arguments in, text out."""
