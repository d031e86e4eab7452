"""What is known of a batch that cannot be done as it is asked for."""

import os
from dataclasses import replace

import pytest

from napari_mpseg.batch.differences import OtherSettingsError
from napari_mpseg.batch.find import find_images
from napari_mpseg.batch.plan import look_batch, plan_batch
from napari_mpseg.batch.run import run_batch
from napari_mpseg.batch.settings import BatchSettings
from napari_mpseg.errors import SettingsError, StoreError


@pytest.fixture(scope="module")
def finished(tmp_path_factory, write_squares):
    """A finished batch of two images, and a file that is none."""
    folder = tmp_path_factory.mktemp("looked")
    settings = BatchSettings("fixed-level", pixel_size="5um", parallel="chunks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari_mpseg.batch.tables._PLOTS", ())
        for name, count in (("lake_1", 5), ("lake_2", 3)):
            write_squares(folder / "scans" / f"{name}.png", count)
        (folder / "scans" / "river_1.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
        run_batch(folder / "scans", folder / "out", settings)
    return folder


def states(plan):
    return {item.name: item.state for item in plan.items}


def test_with_other_settings_it_is_known_what_was_made_and_how(finished, settings):
    scans, out, other = finished / "scans", finished / "out", replace(settings, min_size=9)
    plan = look_batch(scans, out, other)
    assert states(plan) == {"lake_1": "made otherwise", "lake_2": "made otherwise", "river_1": "refused"}
    assert isinstance(plan.problem, OtherSettingsError)
    assert "min_size was not given and is 9" in str(plan.problem)
    [difference] = plan.items[0].differences
    assert (difference.name, difference.before, difference.now) == ("min_size", None, 9)
    with pytest.raises(OtherSettingsError):
        plan_batch(scans, out, other)
    again = look_batch(scans, out, other, overwrite=True)
    assert again.problem is None
    assert states(again)["lake_1"] == "to do"
    assert again.items[0].differences == (difference,)


@pytest.mark.parametrize(
    "wrong", [{"pattern": "{sample"}, {"sheet": "gone.csv"}, {"settings": BatchSettings("otsu", runtime="fast")}]
)
def test_what_is_wrong_leaves_what_is_known(finished, settings, wrong):
    plan = look_batch(finished / "scans", finished / "out", **{"settings": settings, **wrong})
    assert states(plan) == {"lake_1": "done", "lake_2": "done", "river_1": "refused"}
    assert plan.problem is not None


def test_a_sheet_that_is_missing_leaves_what_the_names_say(finished, settings):
    plan = look_batch(finished / "scans", finished / "out", settings, pattern="{sample}_{replicate}", sheet="gone.csv")
    assert isinstance(plan.problem, SettingsError)
    assert [item.metadata.sample for item in plan.items] == ["lake", "lake", "river"]


def test_a_file_where_results_shall_go_is_told_before_the_work(finished, settings, tmp_path):
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(StoreError, match=r"file is no folder\. Choose another"):
            plan_batch(finished / "scans", out, settings)
        assert set(states(look_batch(finished / "scans", out, settings)).values()) == {"to do", "refused"}


def test_a_missing_right_to_write_is_told_before_the_work(finished, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda place, mode: not mode & os.W_OK)
    with pytest.raises(StoreError, match="no right to write to"):
        plan_batch(finished / "scans", tmp_path / "new" / "out", settings)


def test_of_an_empty_folder_it_is_said_that_folders_in_it_are_not_searched(tmp_path):
    with pytest.raises(SettingsError, match=r"Folders in it are not searched: a pattern such as '.*/\*\*/\*\.tif'"):
        find_images(tmp_path)
