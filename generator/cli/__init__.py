"""One module per command: it parses arguments and prints text."""
