"""Git beside the cluster: what both say of one model in one environment, and what a person can do about it."""
