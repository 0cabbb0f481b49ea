"""Routers other than Contour: each module starts one next to the core of the bed, and tells where it listens."""
