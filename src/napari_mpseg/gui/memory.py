"""What the plugin remembers between sessions: the user's last choices, and napari's preferences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QSettings

from napari_mpseg.errors import SettingsError

PLUGIN = "napari-mpseg"
WHERE_SET = "File > Preferences > napari-mpseg"
"""Where the user finds the preferences."""


class Memory:
    """The last choices made in one widget.

    Parameters
    ----------
    widget : str
        Name of the widget: ``"segment"``.
    """

    def __init__(self, widget: str) -> None:
        self._widget = widget

    def _settings(self) -> QSettings:
        return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, PLUGIN, "widgets")

    def get(self, key: str, default: Any) -> Any:
        """Return a remembered value as the type of `default`, or `default` where there is none or it is spoilt."""
        value = self._settings().value(f"{self._widget}/{key}")
        try:
            if value is None:
                return default
            if isinstance(default, bool):
                return str(value).lower() == "true"
            if isinstance(default, list):
                return [str(item) for item in ([value] if isinstance(value, str) else value)]
            return type(default)(value)
        except (TypeError, ValueError):
            return default

    def set(self, **values: Any) -> None:
        """Remember values."""
        settings = self._settings()
        for key, value in values.items():
            settings.setValue(f"{self._widget}/{key}", str(value).lower() if isinstance(value, bool) else value)


@dataclass(frozen=True)
class Preferences:
    """What the user set under Preferences > napari-mpseg.

    Attributes
    ----------
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    tile_size : int or None
        Side of a tile in pixels; None lets the method choose.
    cache_folder : str
        Where large results wait until they are saved; empty for the system's place.
    runtime : str
        What computes networks; ``"auto"`` for what is fastest.
    """

    device: str = "auto"
    tile_size: int | None = None
    cache_folder: str = ""
    runtime: str = "auto"

    @property
    def runtime_asked(self) -> str | None:
        """The runtime that was asked for; None where that is left open.

        Raises
        ------
        SettingsError
            If there is none of that name.
        """
        from napari_mpseg.inference.runtimes import AUTO, RUNTIMES

        if self.runtime == AUTO:
            return None
        if self.runtime not in RUNTIMES:
            raise SettingsError(
                f"No runtime is called {self.runtime!r}, which is set under {WHERE_SET}. Choose there one of "
                f"{', '.join((AUTO, *RUNTIMES))}."
            )
        return self.runtime


def preferences() -> Preferences:
    """Return the user's preferences, or the defaults where this napari has no plugin preferences."""
    try:
        from napari.settings import get_plugin_settings

        chosen = get_plugin_settings(PLUGIN).processing
    except (ImportError, KeyError, AttributeError):
        return Preferences()
    runtime = chosen.runtime.strip() or "auto"
    return Preferences(chosen.device, chosen.tile_size or None, chosen.cache_folder.strip(), runtime)
