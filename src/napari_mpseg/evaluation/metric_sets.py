"""The metrics that are shown unless others are asked for."""

DEFAULT_METRICS = (
    "precision",
    "recall",
    "f1",
    "iou",
    "balanced-accuracy",
    "particle-precision",
    "particle-recall",
    "particle-f1",
    "panoptic-quality",
    "count-bias",
    "count-mae",
    "size-wasserstein",
)
"""What most need of any prediction."""

WITH_PROBABILITY = ("average-precision",)
"""What is added where there are probabilities."""

WITH_SCORES = ("ap50", "coco-ap", "coco-ap50")
"""What is added where particles have scores of their own: a confidence in their table."""
