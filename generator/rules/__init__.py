"""The rules: one small function per code, which yields problems."""
