"""What people write, as pydantic models."""
