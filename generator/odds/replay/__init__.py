"""Replays the guards of a plan over recorded or simulated traffic."""
