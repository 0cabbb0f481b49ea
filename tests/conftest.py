"""Settings of all tests: CI draws the same examples each time, so that a red run is about the change it judges."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
