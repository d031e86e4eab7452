"""The registry of network architectures, model files, and what can be said of a network without running it."""
