"""Settings of all tests: CI draws the same examples each time, so that a red run is about the change it judges."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadlines: a loaded machine is not a failure.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")
else:
    settings.load_profile("local")
