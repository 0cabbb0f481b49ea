"""Plan to objects to text, every object verified."""
