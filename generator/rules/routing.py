"""What each router can do, by version and implementation."""
