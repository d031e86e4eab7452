"""What a result says in a few words, as rich text for the status line. No Qt here."""

from __future__ import annotations

from html import escape
from typing import Any

_SIZES = {"feret_max": "By longest extent (Feret)", "equivalent_diameter": "By equivalent diameter"}


def summary(result: Any) -> str:
    """Return the count, the counts per size class and the warnings of a result.

    Parameters
    ----------
    result : Result or StackResult
        With ``count``, ``particles``, ``image``, ``threshold``, ``provenance`` and ``notes``.
    """
    kept = result.particles.kept() if result.count else None
    rejected = result.count - len(kept) if kept is not None else 0
    found = f"{_number(result.count - rejected)} in {escape(result.image.name)}{_left_out(rejected)}"
    # only a network's threshold means something: that of a grey level is 0 or 1
    graded = result.provenance.get("model") and result.threshold is not None
    lines = [found + (f", threshold {result.threshold:.3g}" if graded else "")]
    if kept is not None and len(kept):
        lines.append(size_table(kept))
    lines += [f"<b>Note:</b> {escape(note)}" for note in result.notes]
    return "".join(f"<div>{line}</div>" for line in lines)


def size_table(table: Any) -> str:
    """Return the counts of a :class:`~napari_mpseg.particles.table.ParticleTable` per size class, as HTML.

    Particles that a reviewer rejected are left out, and the first line says how many.
    """
    from napari_mpseg.particles.sizes import SizeClasses, count_by_size

    by = _SIZES.get(SizeClasses.default_for(table.calibration).by, "size")
    kept = table.kept()
    rows = f"<tr><td colspan='2'>{by}{_left_out(len(table) - len(kept))}:</td></tr>"
    for name, number in count_by_size(kept).items():
        pretty = escape(str(name).replace("um", "µm").replace(">=", "≥ ").replace("<", "< ").replace("-", "–"))
        rows += f"<tr><td align='right'>{pretty}</td><td align='right' style='padding-left: 16px'>{number:,}</td></tr>"
    return f"<table cellspacing='1'>{rows}</table>"


def measured_summary(measured: Any, layer_name: str) -> str:
    """Return what measuring gave: the count, where the table is, the size classes, and what is odd about the labels.

    Parameters
    ----------
    measured : Measured
        With ``table``, ``labels`` and ``notes``.
    layer_name : str
        The layer that has the table now.
    """
    kept = measured.table.kept()
    where = "in the new layer" if measured.labels is not None else "in"
    rejected = len(measured.table) - len(kept)
    lines = [f"{_number(len(kept))} measured {where} {escape(layer_name)}{_left_out(rejected)}"]
    if len(kept):
        lines.append(size_table(kept))
    lines += [f"<b>Note:</b> {escape(note)}" for note in measured.notes]
    return "".join(f"<div>{line}</div>" for line in lines)


def _number(count: int) -> str:
    return f"<b>{count:,} particle{'' if count == 1 else 's'}</b>"


def _left_out(rejected: int) -> str:
    return f", {rejected:,} rejected, left out" if rejected else ""
