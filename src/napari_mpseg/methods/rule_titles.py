"""The automatic thresholds: the name users type, ImageJ's name, and one sentence each; kept apart from their code."""

from collections.abc import Mapping

RULE_TITLES: Mapping[str, tuple[str, str]] = {
    "max-entropy": ("MaxEntropy", "The level at which both sides hold the most information; what MP-VAT uses."),
    "otsu": ("Otsu", "The level that parts two groups of grey values with the least variance within each."),
    "yen": ("Yen", "The level of the greatest correlation between both sides; sets a high level on dark images."),
    "renyi-entropy": ("RenyiEntropy", "A weighted mean of three entropy levels; what MP-VAT 2.0 uses."),
    "triangle": ("Triangle", "The level farthest from the line between the histogram's peak and its end."),
    "li": ("Li", "The level of least cross-entropy between the image and its two parts."),
    "isodata": ("IsoData", "The level half-way between the means of both sides (Ridler and Calvard)."),
    "imagej-default": ("Default", "ImageJ's own variant of IsoData, with the highest peak of the histogram cut down."),
    "ij-isodata": ("IJ_IsoData", "ImageJ's own variant of IsoData without cutting the peak, as in its older versions."),
    "huang": ("Huang", "The level of least fuzziness of both sides."),
    "intermodes": ("Intermodes", "Half-way between the two peaks of the smoothed histogram; needs two peaks."),
    "minimum": ("Minimum", "The valley between the two peaks of the smoothed histogram; needs two peaks."),
    "mean": ("Mean", "The mean grey value."),
    "min-error": ("MinError", "The level of least error if both sides were bell curves (Kittler and Illingworth)."),
    "moments": ("Moments", "The level that keeps the first three moments of the image (Tsai)."),
    "percentile": ("Percentile", "Half of the pixels on each side (Doyle)."),
    "shanbhag": ("Shanbhag", "The level at which both sides are equally sure of what belongs to them."),
}
