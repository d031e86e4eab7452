"""What is needed from OME-XML: pixel size, unit and channel names of the first image."""

from dataclasses import dataclass
from xml.etree import ElementTree

from napari_mpseg.calibration import Calibration
from napari_mpseg.errors import CalibrationError


@dataclass(frozen=True)
class OmePixels:
    """The ``Pixels`` element of the first ``Image``.

    Attributes
    ----------
    size_y, size_x : str or None
        ``PhysicalSizeY`` and ``PhysicalSizeX`` as written.
    unit_y, unit_x : str
        Their units; micrometre where not given, as the OME schema says.
    channels : tuple of str
        ``Name`` of each channel, ``""`` where it has none.
    """

    size_y: str | None
    size_x: str | None
    unit_y: str
    unit_x: str
    channels: tuple[str, ...]


def first_ome_pixels(xml: str | None) -> OmePixels | None:
    """Read an OME-XML text; None where there is none or it cannot be parsed.

    References
    ----------
    https://www.openmicroscopy.org/Schemas/OME/2016-06/
    """
    try:
        root = ElementTree.fromstring(xml or "")
    except (ElementTree.ParseError, ValueError):
        return None
    pixels = root.find("./{*}Image/{*}Pixels")
    if pixels is None:
        return None
    return OmePixels(
        size_y=pixels.get("PhysicalSizeY"),
        size_x=pixels.get("PhysicalSizeX"),
        unit_y=pixels.get("PhysicalSizeYUnit", "µm"),
        unit_x=pixels.get("PhysicalSizeXUnit", "µm"),
        channels=tuple(channel.get("Name", "") for channel in pixels.findall("./{*}Channel")),
    )


def two_units(height: float, width: float, unit_y: str, unit_x: str, source: str) -> Calibration:
    """Return the calibration from a height and a width that may be written in different units.

    Raises
    ------
    CalibrationError
        If a size is impossible or a unit is no length.
    """
    result = Calibration((width, width), unit_x, source)
    vertical = Calibration((height, height), unit_y, source)
    if vertical.unit != result.unit:
        if not (vertical.calibrated and result.calibrated):
            raise CalibrationError(f"One pixel size is in {unit_y!r}, the other in {unit_x!r}.")
        vertical = vertical.converted(result.unit)
    return Calibration((vertical.pixel_size[0], width), result.unit, source)
