"""The rows, in the order of the table: importing this registers them."""

# ruff: noqa: I001 - the order is that of the table
from scale.rows import pipeline, monai_windows, papers, per_pixel, memory, labelling, gpu

__all__ = ["gpu", "labelling", "memory", "monai_windows", "papers", "per_pixel", "pipeline"]
