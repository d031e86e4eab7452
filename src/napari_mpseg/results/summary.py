"""A few lines on a result, for people."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_mpseg.particles.table import ParticleTable
    from napari_mpseg.results.result import Result


def summarise(result: "Result") -> str:
    """Return image, method, count, counts per size class, density and share of area as text."""
    height, width = result.image.shape
    smallest = dict(result.provenance.get("settings") or {}).get("min_size", 0)
    # only a network's threshold means something: that of a grey level is 0 or 1
    threshold = f", probability above {result.threshold:g}" if result.provenance.get("model") else ""
    kept = result.particles.kept() if result.particles is not None else None
    rejected = len(result.particles) - len(kept) if result.particles is not None and kept is not None else 0
    lines = [
        f"Image     {result.image.name}: {width} x {height} px, {result.image.calibration}",
        f"Method    {result.method}{threshold}" + (", tells touching particles apart" if result.told_apart else ""),
        f"Particles {result.count - rejected}"
        + (f" (of {smallest} px or more)" if smallest > 1 else "")
        + (f", {rejected} rejected, left out" if rejected else ""),
    ]
    if kept is not None:
        lines += size_lines(kept)
        lines += class_lines(kept)
        lines += _share_lines(result, kept)
    if result.macro_counts is not None:
        lines += ["As the macro itself counts:", *(f"  {line}" for line in _frame_lines(result.macro_counts))]
    lines += [f"Note      {note}" for note in result.notes]
    return "\n".join(lines)


def _frame_lines(frame: Any) -> list[str]:
    return str(frame.to_string(index=False)).splitlines()


def size_lines(table: "ParticleTable") -> list[str]:
    """Return how many particles there are in each size class, one line each below a heading.

    Particles that a reviewer rejected are left out, and the heading says how many.
    """
    from napari_mpseg.particles.sizes import SizeClasses, count_by_size

    kept = table.kept()
    rejected = len(table) - len(kept)
    counts = count_by_size(kept)
    by = SizeClasses.default_for(table.calibration).by
    size = "maximum Feret diameter" if by == "feret_max" else by
    widest = max(len(str(name)) for name in counts.index)
    left_out = f", {rejected} rejected, left out" if rejected else ""
    return [
        f"Size classes ({size}{left_out}):",
        *(f"  {name!s:>{widest}}  {count:6d}" for name, count in counts.items()),
    ]


def class_lines(table: "ParticleTable") -> list[str]:
    """Return how many kept particles there are of each class, one line each below a heading; none without classes."""
    if "class" not in table.frame:
        return []
    counts = table.kept().frame["class"].value_counts(sort=False)
    counts = counts[counts > 0]
    widest = max((len(str(name)) for name in counts.index), default=0)
    return ["Classes:", *(f"  {name!s:>{widest}}  {count:6d}" for name, count in counts.items())] if len(counts) else []


def _share_lines(result: "Result", table: "ParticleTable") -> list[str]:
    height, width = result.image.shape
    covered = float(table.frame["area_px"].sum()) / (height * width)
    lines = [f"Area      {100 * covered:.4g} % of the image is particle"]
    if table.calibration.calibrated:
        tall, wide = table.calibration.converted("mm").pixel_size
        square_mm = height * width * tall * wide
        density = len(table) / square_mm
        shown = f"{density:.0f}" if density >= 1000 else f"{density:.4g}"
        lines.append(f"Density   {shown} particles per mm2 of image ({square_mm:.4g} mm2)")
    return lines
