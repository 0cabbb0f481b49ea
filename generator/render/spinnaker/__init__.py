"""The same plan for shops on Spinnaker: a pipeline, and the configuration that Kayenta judges its canary by."""
