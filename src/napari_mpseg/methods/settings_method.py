"""What methods have in common that are nothing but their settings."""

from typing import Any, ClassVar, Generic, TypeVar

from napari_mpseg.settings import to_dict

S = TypeVar("S")


class SettingsMethod(Generic[S]):
    """A method without a model; who inherits adds ``name`` and ``prepare``.

    Parameters
    ----------
    settings : dataclass
        All that was chosen.
    """

    name: ClassVar[str]
    default_threshold = 0.5

    def __init__(self, settings: S) -> None:
        self.settings = settings

    def describe(self) -> dict[str, Any]:
        """Return all settings as plain JSON values."""
        return to_dict(self.settings)
