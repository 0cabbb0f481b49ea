"""Runs one tool's `measure` on many configurations in one process: the libraries take seconds to import.

python batch.py SCRIPT CONFIGS REPORTS
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import common

script, configs, reports = map(Path, sys.argv[1:])
sys.path.insert(0, str(script.parent))  # as if the script itself had been started
spec = importlib.util.spec_from_file_location("tool", script)
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
found = {}
for name, config in json.loads(configs.read_text()).items():
    try:
        found[name] = tool.measure(config)
    except common.Problem as problem:
        found[name] = {"problem": str(problem)}
reports.write_text(json.dumps(found, allow_nan=False))
