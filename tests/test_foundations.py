"""Registries, errors, progress, provenance."""

import json
import threading

import pytest

from napari_mpseg.errors import Cancelled, MpsegError, StoreError, UnknownNameError
from napari_mpseg.progress import CancelToken, Progress, silent
from napari_mpseg.provenance import Provenance, library_versions
from napari_mpseg.registry import Registry


@pytest.fixture
def fruit():
    registry = Registry("fruit")
    registry.add("apple", 1)
    registry.add("banana", 2)
    return registry


def test_a_registry_is_a_mapping_in_order(fruit):
    assert list(fruit.items()) == [("apple", 1), ("banana", 2)]
    assert len(fruit) == 2
    assert "apple" in fruit
    assert fruit.get("cherry", 0) == 0


def test_an_unknown_name_brings_the_nearest_and_all(fruit):
    with pytest.raises(UnknownNameError) as caught:
        fruit["bananna"]
    assert str(caught.value) == "No fruit is called 'bananna'. Did you mean 'banana'? Known: apple, banana."
    with pytest.raises(UnknownNameError) as caught:
        fruit["zzz"]
    assert str(caught.value) == "No fruit is called 'zzz'. Known: apple, banana."
    assert isinstance(caught.value, (KeyError, MpsegError))


def test_a_name_is_registered_once(fruit):
    with pytest.raises(ValueError, match="fruit 'apple' is registered twice"):
        fruit.register("apple")(3)


def test_errors_can_be_caught_as_what_they_are():
    assert issubclass(StoreError, OSError)
    assert not issubclass(Cancelled, MpsegError)
    assert str(UnknownNameError()) == ""


def test_progress_in_shares():
    assert Progress("Segmenting", 1, 4).fraction == 0.25
    assert Progress("Segmenting", 3, 0).fraction == 0
    assert silent(Progress("Segmenting", 1, 4)) is None


def test_a_token_set_in_another_thread_stops_the_work():
    token = CancelToken()
    token.check()
    thread = threading.Thread(target=token.cancel)
    thread.start()
    thread.join()
    assert token.cancelled
    with pytest.raises(Cancelled):
        token.check()


def test_the_record_of_a_run_is_json_with_versions():
    record = json.loads(json.dumps(Provenance("segment", {"threshold": 0.5}, {"name": "a"}).to_dict()))
    assert record["operation"] == "segment"
    assert record["settings"] == {"threshold": 0.5}
    assert record["created"].endswith("+00:00")
    assert {"numpy", "torch", "zarr"} <= set(record["libraries"])


def test_a_library_that_is_not_installed_is_left_out(monkeypatch):
    from napari_mpseg import provenance

    monkeypatch.setattr(provenance, "_LIBRARIES", ("numpy", "no-such-library"))
    provenance._versions.cache_clear()
    try:
        assert list(library_versions()) == ["numpy"]
    finally:
        provenance._versions.cache_clear()
