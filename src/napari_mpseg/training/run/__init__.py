"""The loop with its losses, optimisers, validation, checkpoints and events."""
