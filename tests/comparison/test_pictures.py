import numpy as np
import pytest
from PIL import Image

from napari_mpseg.comparison.pictures import pictures_of
from napari_mpseg.errors import ImageError, SettingsError


def test_folder_gives_its_images_with_truth(folder):
    pictures = pictures_of(folder)
    assert [picture.name for picture in pictures] == ["data/a.png", "data/b.png"]
    assert {picture.group for picture in pictures} == {""}
    assert pictures[0].opened.shape == (64, 64)
    assert int((pictures[0].labels() != 0).sum()) == 5 * 5 + 8 * 8


def test_folds_are_groups(folds):
    assert [(picture.name, picture.group) for picture in pictures_of(folds)] == [
        ("fold_1/0.png", "fold_1"),
        ("fold_2/1.png", "fold_2"),
    ]


def test_particle_value_makes_a_mask(folder):
    (picture, _) = pictures_of(folder, particle_value=0)
    assert picture.labels().dtype == bool
    assert int(picture.labels().sum()) == 64 * 64 - 5 * 5 - 8 * 8


def test_a_particle_value_that_is_in_no_truth_is_refused(folder):
    with pytest.raises(SettingsError, match=r"value 77 .* there are 0, 255"):
        pictures_of(folder, particle_value=77)


def test_folds_cannot_be_named_for_images_that_lie_in_some(folds):
    with pytest.raises(SettingsError, match=r"folds of its own \(fold_1, fold_2\)"):
        pictures_of(folds, group="fold_9")


def test_pairs_of_a_script_keep_their_names_apart(pairs):
    image, truth, name = pairs[0]
    pictures = pictures_of([(image, truth, name), (image, truth, name), (image, truth)])
    assert [picture.name for picture in pictures] == ["a.png", "a.png [2]", "image 3"]


def test_fewer_images_are_taken_evenly(pairs):
    many = [(*pairs[0][:2], f"{number}.png") for number in range(9)]
    assert [picture.name for picture in pictures_of(many, count=3)] == ["0.png", "4.png", "8.png"]
    with pytest.raises(SettingsError, match="1 or more"):
        pictures_of(many, count=0)


def test_another_size_is_refused_with_both_sizes(folder):
    Image.fromarray(np.zeros((10, 20), np.uint8)).save(folder / "labels" / "a.png")
    with pytest.raises(ImageError, match=r"10 x 20 px, the image 64 x 64"):
        pictures_of(folder)[0].labels()


def test_missing_folder_is_told(tmp_path):
    with pytest.raises(ImageError, match="no folder"):
        pictures_of(tmp_path / "nowhere")


def test_large_truth_stays_lazy(monkeypatch, folder):
    monkeypatch.setattr("napari_mpseg.comparison.pictures._IN_MEMORY", 100)
    assert not isinstance(pictures_of(folder)[0].labels(), np.ndarray)
