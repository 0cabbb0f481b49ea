"""What the guards of a plan would have decided over recorded or simulated traffic."""
