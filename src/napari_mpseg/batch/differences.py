"""In what the settings that results were made with differ from those of now."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_mpseg.errors import SettingsError

_LONGEST = 60  # letters of a value in a message


class OtherSettingsError(SettingsError):
    """Results are there that were made with other settings."""


@dataclass(frozen=True)
class Difference:
    """One setting that differs.

    Attributes
    ----------
    name : str
        Of the setting.
    before, now : object
        Plain JSON values; None where it was not given.
    """

    name: str
    before: Any = None
    now: Any = None

    def __str__(self) -> str:
        """Return it as a command line would say it."""
        return f"{self.name} was {_shown(self.before)} and is {_shown(self.now)}"


def find_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return what differs between two settings, in their order."""
    names = dict.fromkeys([*before, *now])
    return tuple(
        Difference(name, before.get(name), now.get(name)) for name in names if before.get(name) != now.get(name)
    )


def listed(differences: Sequence[Difference]) -> str:
    """Return differences one after the other."""
    return "; ".join(map(str, differences)) or "not known which"


def _shown(value: Any) -> str:
    if value is None:
        return "not given"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
