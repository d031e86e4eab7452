"""Settings turn into JSON and back, and refuse what they do not know."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_mpseg.errors import SettingsError
from napari_mpseg.settings import from_dict, to_dict


@dataclass(frozen=True)
class Inner:
    weight: float
    name: str = "x"


@dataclass(frozen=True)
class Outer:
    count: int
    flag: bool = False
    size: tuple[int, int] = (1, 2)
    names: tuple[str, ...] = ()
    inner: Inner = field(default_factory=lambda: Inner(1.0))
    many: tuple[Inner, ...] = ()
    maybe: Inner | None = None
    level: float | str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    mixed: tuple[str, float] = ("a", 0.5)

    def __post_init__(self) -> None:
        if self.count < 0:
            raise SettingsError(f"count {self.count} is negative.")


words = st.text(max_size=5)
inners = st.builds(Inner, st.floats(allow_nan=False, allow_infinity=False), words)
outers = st.builds(
    Outer,
    st.integers(0, 10**9),
    st.booleans(),
    st.tuples(st.integers(), st.integers()),
    st.lists(words, max_size=3).map(tuple),
    inners,
    st.lists(inners, max_size=3).map(tuple),
    st.none() | inners,
    st.none() | words | st.floats(allow_nan=False, allow_infinity=False),
    st.dictionaries(words, st.integers(), max_size=2),
    st.tuples(words, st.floats(allow_nan=False, allow_infinity=False)),
)


@given(outers)
def test_to_json_and_back(settings):
    assert from_dict(Outer, json.loads(json.dumps(to_dict(settings)))) == settings


def test_unknown_settings_are_named_with_those_there_are():
    with pytest.raises(SettingsError, match=r"Outer has no setting 'colour', 'cuont'. It has: count, flag"):
        from_dict(Outer, {"cuont": 1, "colour": 2})


def test_missing_settings_are_named():
    with pytest.raises(SettingsError, match=r"Inner needs the setting 'weight'\."):
        from_dict(Inner, {"name": "y"})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": "many"}, r"Outer: count must be a whole number, not 'many'"),
        ({"count": 1.5}, "a whole number, not 1.5"),
        ({"count": True}, "a whole number, not True"),
        ({"count": None}, "a whole number, not None"),
        ({"count": 1, "flag": 1}, "true or false, not 1"),
        ({"count": 1, "size": [1]}, "must have 2 values"),
        ({"count": 1, "size": 3}, "must be a list, not 3"),
        ({"count": 1, "names": ["a", 2]}, "a text, not 2"),
        ({"count": 1, "inner": {"weight": "heavy"}}, "Inner: weight must be a number, not 'heavy'"),
        ({"count": 1, "inner": 7}, "Inner needs a JSON object, not 7"),
        ({"count": 1, "many": [{"weigth": 1}]}, "Inner has no setting 'weigth'"),
        ({"count": 1, "level": [1]}, "level must be a number, not"),
        ({"count": -1}, "count -1 is negative"),
        ([], r"Outer needs a JSON object, not \[\]"),
    ],
)
def test_values_that_do_not_fit(values, message):
    with pytest.raises(SettingsError, match=message):
        from_dict(Outer, values)


def test_whole_numbers_are_numbers_too():
    assert from_dict(Inner, {"weight": 2}).weight == 2


def test_numpy_numbers_and_paths_become_plain():
    made = to_dict(Inner(np.float32(0.5), Path("a") / "b"))
    assert json.dumps(made) == json.dumps({"weight": 0.5, "name": str(Path("a") / "b")})
    assert type(to_dict(Inner(np.int64(3)))["weight"]) is int
