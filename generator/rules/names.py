"""Names: long, reserved, or taken twice."""
