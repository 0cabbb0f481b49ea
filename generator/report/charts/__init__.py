"""Pictures: the timeline of a plan, and a replayed release."""
