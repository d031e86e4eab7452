"""Random changes of patches, and the offline set."""
