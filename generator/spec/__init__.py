"""The spec language as pydantic models."""
