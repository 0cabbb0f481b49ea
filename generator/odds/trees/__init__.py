"""The odds of releases that Sluice did not write: Rollouts, Flagger's Canaries, InferenceServices."""
