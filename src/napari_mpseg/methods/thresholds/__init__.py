"""ImageJ's automatic thresholds: one grey level from a histogram of 256 bins, one file per family of rules."""

from napari_mpseg.methods.thresholds.registry import THRESHOLD_RULES, ThresholdRule

__all__ = ["THRESHOLD_RULES", "ThresholdRule"]
