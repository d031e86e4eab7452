"""A few lines on a result, for people."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_mpseg.results.result import Result


def summarise(result: "Result") -> str:
    """Return image, method, count, counts per size class, density and share of area as text."""
    height, width = result.image.shape
    lines = [
        f"Image     {result.image.name}: {width} x {height} px, {result.image.calibration}",
        f"Method    {result.method}, probability above {result.threshold:g}",
        f"Particles {result.count}",
    ]
    if result.particles is not None:
        lines += _sizes(result)
    lines += [f"Note      {note}" for note in result.notes]
    return "\n".join(lines)


def _sizes(result: "Result") -> list[str]:
    from napari_mpseg.particles.sizes import SizeClasses, count_by_size

    table = result.particles
    assert table is not None
    calibration = table.calibration
    counts = count_by_size(table)
    by = SizeClasses.default_for(calibration).by
    size = "maximum Feret diameter" if by == "feret_max" else by
    lines = [f"Size classes ({size}):"]
    widest = max(len(str(name)) for name in counts.index)
    lines += [f"  {name!s:>{widest}}  {count:6d}" for name, count in counts.items()]
    height, width = result.image.shape
    area_px = float(table.frame["area_px"].sum()) if "area_px" in table.frame else 0.0
    lines.append(f"Area      {100 * area_px / (height * width):.4g} % of the image is particle")
    if calibration.calibrated:
        metric = calibration.converted("mm").pixel_size
        square_mm = height * width * metric[0] * metric[1]
        lines.append(f"Density   {result.count / square_mm:.4g} particles per mm2 of image ({square_mm:.4g} mm2)")
    return lines
