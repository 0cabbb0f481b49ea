"""The odds of releases that Sluice did not write."""
