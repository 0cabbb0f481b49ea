"""`python -m generator`: the command `sluice`."""

from generator.cli.main import run

if __name__ == "__main__":
    run()
