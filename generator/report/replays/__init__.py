"""Parts of `sluice replay`: the schedule of a plan, and the output formats."""
