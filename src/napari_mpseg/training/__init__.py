"""Patches, augmentation, losses, the training loop and cross-validation."""
