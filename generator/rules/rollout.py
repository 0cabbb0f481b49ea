"""Steps, guards and resources that contradict each other."""
