"""``napari-mpseg count``: all kinds of input, files, and errors against truth."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image


@pytest.fixture
def strands():
    """A fibre in two strands 8 px apart, and a speck of 2 x 2 px far from it."""
    mask = np.zeros((80, 120), bool)
    mask[20:22, 10:30] = mask[20:22, 38:60] = True
    mask[60:62, 100:102] = True
    return mask


@pytest.fixture
def mask(strands, tmp_path):
    Image.fromarray(strands.view(np.uint8) * 255).save(tmp_path / "mask.png")
    return tmp_path / "mask.png"


BOXES = [[17, 7, 25, 63], [57, 97, 65, 105]]  # 3 px more on each side


def corners(table):
    return table[["y0_px", "x0_px", "y1_px", "x1_px"]].to_numpy().tolist()


def test_boxes_picture_and_record_are_written(run, names, mask, tmp_path):
    out = tmp_path / "out"
    code, said, error = run("count", mask, "--out", out, "--pixel-size", "2um", "--quiet")
    assert (code, error) == (0, "")
    assert names(out) == ["mask_boxes.csv", "mask_boxes.png", "mask_count.json"]
    table = pd.read_csv(out / "mask_boxes.csv")
    assert corners(table) == BOXES
    assert table["area_px"].tolist() == [84, 4]
    assert table["area_um2"].tolist() == [336, 16]
    assert table["keep"].all()
    record = json.loads((out / "mask_count.json").read_text(encoding="utf-8"))
    assert (record["operation"], record["particles"], record["settings"]["dilate"]) == ("count", 2, 15)
    assert "Particles 2" in said
    assert "taken as mask" in said
    # 7 px of the box's edge lie outside the particle: they have the colour of boxes without confidence
    picture = np.asarray(Image.open(out / "mask_boxes.png"))
    assert (picture == (0x56, 0xB4, 0xE9)).all(-1).sum() > 100
    code, _, error = run("count", mask, "--out", out, "--quiet")
    assert code == 1
    assert "--overwrite" in error


def test_sizes_can_be_other_and_in_micrometre(run, mask, tmp_path):
    for number, more in enumerate(
        (("--dilate", 5, "--erode", 5), ("--dilate", 10, "--erode", 10, "--unit", "um", "--pixel-size", "2um"))
    ):
        code, said, _ = run("count", mask, "--out", tmp_path / str(number), *more, "--quiet")
        assert code == 0
        assert "Particles 3" in said
    code, _, error = run("count", mask, "--out", tmp_path / "x", "--dilate", 14, "--quiet")
    assert code == 2
    assert "odd" in error
    code, said, _ = run("count", mask, "--out", tmp_path / "y", "--min-size", 5, "--quiet")
    assert "Particles 1" in said


def test_a_probability_gives_confidence(run, strands, tmp_path):
    probability = np.where(strands, 0.8, 0.1).astype("float32")
    probability[60:62, 100:102] = 0.6
    tifffile.imwrite(tmp_path / "p.tif", probability)
    code, said, _ = run("count", tmp_path / "p.tif", "--out", tmp_path / "out", "--quiet")
    assert code == 0
    assert "taken as probability" in said
    table = pd.read_csv(tmp_path / "out" / "p_boxes.csv")
    assert table["confidence"].tolist() == pytest.approx([0.8, 0.6], abs=1e-6)
    code, said, _ = run("count", tmp_path / "p.tif", "--out", tmp_path / "high", "--threshold", 0.7, "--quiet")
    assert "Particles 1" in said


def test_an_image_is_segmented_first(run, strands, tmp_path):
    picture = np.where(strands, 200, 20).astype("uint8")
    picture[5, 5] = 21  # three values: no mask
    Image.fromarray(picture).save(tmp_path / "image.png")
    code, said, error = run("count", tmp_path / "image.png", "--method", "otsu", "--out", tmp_path / "out", "--quiet")
    assert (code, error) == (0, "")
    assert "segmented by otsu" in said
    assert corners(pd.read_csv(tmp_path / "out" / "image_boxes.csv")) == BOXES


def test_errors_of_several_images_by_hand(run, strands, tmp_path):
    found, truth = tmp_path / "found", tmp_path / "truth"
    for folder in (found, truth):
        folder.mkdir()
    Image.fromarray(strands.view(np.uint8) * 255).save(found / "a.png")
    Image.fromarray(np.zeros((80, 120), np.uint8)).save(found / "b.png")
    labels = np.zeros((80, 120), np.uint16)
    labels[20:22, 10:60] = 1  # found; the speck is none
    labels[5:7, 100:110] = 2  # missed
    tifffile.imwrite(truth / "a.tif", labels)
    # a mask of one value: its strands are joined too
    Image.fromarray(strands.view(np.uint8)).save(truth / "b.png")
    code, said, error = run("count", found, "--truth", truth, "--out", tmp_path / "out", "--quiet")
    assert (code, error) == (0, "")
    table = pd.read_csv(tmp_path / "out" / "count_errors.csv").set_index("image")
    assert table.loc["a"].tolist() == [2, 2, 1, 1, 1, 0, 0, 0]
    assert table.loc["b"].tolist() == [2, 0, 0, 0, 2, -2, 2, 4]
    assert table.loc["(all images)"].tolist() == [4, 2, 1, 1, 3, -2, 1, 2]
    assert "mae" in said


def test_decisions_on_a_result_and_drawn_boxes_count(run, strands, tmp_path):
    picture = np.where(strands, 200, 20).astype("uint8")
    Image.fromarray(picture).save(tmp_path / "image.png")
    segmented = tmp_path / "result"
    assert run("segment", tmp_path / "image.png", "--method", "otsu", "--out", segmented, "--quiet")[0] == 0
    code, said, _ = run("count", segmented, "--out", tmp_path / "one", "--quiet")
    assert code == 0
    assert "Particles 2" in said
    table = pd.read_csv(tmp_path / "one" / "image_boxes.csv")
    assert table["labels"].tolist() == ["1 2", "3"]
    assert table["confidence"].notna().all()
    from napari_mpseg.particles.counting import count_particles
    from napari_mpseg.particles.counting.record import keep_count
    from napari_mpseg.particles.table import ParticleTable
    from napari_mpseg.results.corrections.place import place_in

    for path in (segmented / "image_particles.csv", segmented / "image_particles.parquet"):
        measured = ParticleTable.read(path)
        measured.frame["keep"] = [True, False, False]
        measured.to_csv(path) if path.suffix == ".csv" else measured.to_parquet(path)
    place = place_in(segmented / "image.ome.zarr")
    metadata = {"napari-mpseg": place.kept()}
    keep_count(metadata, count_particles(strands).with_drawn([(1, 1, 9, 9), (70, 5, 78, 20)]))
    place.keep(metadata["napari-mpseg"])
    code, said, _ = run("count", segmented, "--out", tmp_path / "two", "--quiet")
    assert "Particles 3 (2 drawn by hand, 1 rejected" in said
    again = pd.read_csv(tmp_path / "two" / "image_boxes.csv")
    assert again["keep"].tolist() == [True, False, True, True]
    assert again["origin"].tolist() == ["found", "found", "drawn", "drawn"]
    # by its probability, nothing was decided
    code, said, _ = run("count", segmented, "--out", tmp_path / "three", "--threshold", 0.4, "--quiet")
    assert "Particles 2" in said


def test_particles_that_a_network_tells_apart_are_counted_as_such_by_both_routes(run, tmp_path, rng):
    import torch

    from napari_mpseg.networks.modelfile import Model, ModelCard
    from napari_mpseg.networks.registry import NETWORKS

    torch.manual_seed(2)
    network = NETWORKS["quarter-multiresunet"].build(3, outputs=2, pretrained=False).eval()
    with torch.no_grad():
        logits = network(torch.rand(1, 3, 64, 64))
        network.head.weight.mul_(3 / logits.std((0, 2, 3)).reshape(2, 1, 1, 1))
        network.head.bias.copy_(network.head.bias - network(torch.rand(1, 3, 64, 64)).mean((0, 2, 3)))
    Model(network, ModelCard("apart", "quarter-multiresunet", head="boundary")).save(tmp_path / "apart")
    image, method = tmp_path / "image.png", ("--method", tmp_path / "apart", "--quiet")
    Image.fromarray(rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)).save(image)
    code, _, error = run("segment", image, *method, "--min-size", 0, "--out", tmp_path / "result")
    assert (code, error) == (0, "")
    found = len(pd.read_csv(tmp_path / "result" / "image_particles.csv"))
    assert found > 3
    tables = []
    for number, source in enumerate(((image, *method), (tmp_path / "result", "--quiet"))):
        for name, more in (("apart", ("--dilate", 0, "--erode", 0)), ("joined", ())):
            out = tmp_path / f"{name} {number}"
            code, said, error = run("count", *source, *more, "--out", out)
            assert (code, error) == (0, "")
            tables.append(pd.read_csv(out / "image_boxes.csv"))
            assert ("Note" in said) == (name == "joined")
        assert len(tables[-2]) == found
        assert f"{found} labels lie in {len(tables[-1])} box" in said
    pd.testing.assert_frame_equal(tables[0], tables[2])
    pd.testing.assert_frame_equal(tables[1], tables[3])


@pytest.mark.parametrize(
    "wrong", [("--match", "overlap"), ("--dilate", "x"), ("--as", "picture"), ("--connectivity", 6), ("--threshold", 2)]
)
def test_wrong_arguments_are_told(run, mask, tmp_path, wrong):
    code, _, error = run("count", mask, "--out", tmp_path / "out", *wrong)
    assert code == 2
    assert wrong[0].lstrip("-") in error


def test_what_is_not_there_is_told(run, tmp_path):
    code, _, error = run("count", tmp_path / "none.png", "--out", tmp_path / "out", "--quiet")
    assert code == 1
    assert "none.png is not there" in error
