"""How long `sluice render` takes, as ratios to what the machine does with the same files: `python -m tests.bench`."""
