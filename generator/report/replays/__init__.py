"""Parts of `sluice replay`: the schedule of a plan, and the forms of its answer."""
