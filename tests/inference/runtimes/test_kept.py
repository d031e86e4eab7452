"""Converted networks are kept, checked, and made again where they are damaged."""

import pytest
import torch

from napari_mpseg.inference.runtimes import kept
from napari_mpseg.inference.runtimes.kept import cache_folder, kept_folder, network_digest


def make_and_count(calls):
    def make(folder):
        calls.append("made")
        (folder / "network").write_text("content")

    return make


def read(folder):
    return (folder / "network").read_text()


def test_it_is_made_once(own_cache):
    calls = []
    for _ in range(3):
        assert kept_folder("key", make_and_count(calls), read) == "content"
    assert calls == ["made"]


@pytest.mark.parametrize("damage", ["changed", "gone", "no digests"])
def test_damage_is_repaired(own_cache, damage):
    calls = []
    kept_folder("key", make_and_count(calls), read)
    file = own_cache / "converted" / "key" / ("digests.json" if damage == "no digests" else "network")
    file.write_text("other") if damage == "changed" else file.unlink()
    assert kept_folder("key", make_and_count(calls), read) == "content"
    assert calls == ["made", "made"]


def test_what_cannot_be_kept_is_used_all_the_same(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAPARI_MPSEG_CACHE", str(tmp_path / "file"))
    assert kept_folder("key", make_and_count([]), read) == "content"


def test_the_oldest_are_forgotten(own_cache, monkeypatch):
    monkeypatch.setattr(kept, "_MOST", 2)
    for key in "abcd":
        kept_folder(key, make_and_count([]), read)
    assert len(list((own_cache / "converted").iterdir())) == 2
    assert (own_cache / "converted" / "d").is_dir()


def test_a_failure_leaves_nothing_behind(own_cache):
    def fail(folder):
        (folder / "half").write_text("")
        raise RuntimeError("unknown operation")

    with pytest.raises(RuntimeError, match="unknown operation"):
        kept_folder("key", fail, read)
    assert not list(own_cache.rglob("*half*"))


def test_the_digest_is_of_weights_and_settings(plain):
    plain.reach = 2
    first = network_digest(plain)
    assert network_digest(plain.train()) == first
    plain.reach = 4
    assert network_digest(plain) != first
    plain.reach = 2
    assert network_digest(plain) == first
    with torch.no_grad():
        plain.first.weight[0, 0, 0, 0] += 1
    assert network_digest(plain) != first


@pytest.mark.parametrize(
    ("system", "variable", "ending"),
    [
        ("linux", "XDG_CACHE_HOME", "napari-mpseg/runtimes"),
        ("win32", "LOCALAPPDATA", "napari-mpseg/runtimes"),
    ],
)
def test_without_a_folder_of_ones_own_it_is_the_system_s(monkeypatch, tmp_path, system, variable, ending):
    monkeypatch.delenv("NAPARI_MPSEG_CACHE")
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setenv(variable, str(tmp_path))
    assert cache_folder() == tmp_path / ending
