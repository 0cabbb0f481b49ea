"""Lint of trees: the kinds of objects, the rules on them, and the conditions of metrics."""
