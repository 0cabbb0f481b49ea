"""Explains mistakes in files in the words of the author; imported only when there are any."""
