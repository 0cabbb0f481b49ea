"""One small function a rule, by code; gives findings."""
