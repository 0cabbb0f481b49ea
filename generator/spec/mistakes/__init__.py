"""What is wrong with a file that a record refuses, in its author's words; imported only where something is."""
