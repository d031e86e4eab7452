"""``napari-mpseg networks``, and the table in the documentation that it makes."""

import csv
import json
import re
from pathlib import Path

import pytest

from napari_mpseg.networks.modelfile import Model, ModelCard, save_model
from napari_mpseg.networks.registry import NETWORKS
from napari_mpseg.registry import Registry

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "networks.md"
LIGHT = ("half-multiresunet", "quarter-multiresunet", "half-unet")


@pytest.fixture
def light(monkeypatch):
    """List only networks that are quick to describe."""
    networks = Registry("network")
    for name in LIGHT:
        networks.add(name, NETWORKS[name])
    monkeypatch.setattr("napari_mpseg.networks.registry.NETWORKS", networks)


def test_the_list_shows_the_papers_figures_beside_ours(run, light):
    code, said, error = run("networks")
    assert (code, error) == (0, "")
    line = next(line for line in said.splitlines() if line.startswith("half-multiresunet"))
    ours, paper, deviation = re.search(r"(\S+) M (\S+) M \((\S+)%\)", line).groups()
    assert float(paper) == 0.2149  # Table 4
    assert float(deviation) == pytest.approx(100 * (float(ours) / 0.2149 - 1), abs=0.1)
    ours, deviation = re.search(r" (\S+) 42.9 \((\S+)%\)", line).groups()
    assert float(deviation) == pytest.approx(100 * (float(ours) / 42.9 - 1), abs=0.2)
    assert line.endswith("Lee and Jhang 2021")
    assert [line.split()[0] for line in said.splitlines()[1:4]] == list(LIGHT)


def test_the_list_as_json(run, light):
    code, said, _ = run("networks", "--json")
    assert code == 0
    half = json.loads(said)[0]
    assert half["published"] == {"parameters": 0.2149e6, "flops": 42.9e9}
    assert half["parameters"] == pytest.approx(0.2149e6, rel=0.1)
    assert half["flops"] == pytest.approx(42.9e9, rel=0.1)
    assert (half["receptive_radius"], half["receptive_field"], half["stride"]) == (34, 69, 4)


def test_the_documented_table_is_what_the_command_prints(run, light):
    code, said, _ = run("networks", "--markdown")
    assert code == 0
    documented = DOCUMENT.read_text(encoding="utf-8")
    for line in said.splitlines():
        assert line in documented


def test_every_network_is_documented():
    documented = DOCUMENT.read_text(encoding="utf-8")
    for name in NETWORKS:
        assert f"| `{name}` |" in documented


def test_one_network_in_detail(run):
    code, said, error = run("networks", "--name", "smp-unet", "--encoder", "resnet18", "--channels", 1)
    assert (code, error) == (0, "")
    assert "smp-unet: U-Net (SMP)" in said
    assert "multiples of 32 px" in said
    assert "resnet34, or another of these" in said
    assert "mobilenet_v2" in said
    assert "Trained weights  imagenet, or none" in said
    _, grey, _ = run("networks", "--name", "quarter-multiresunet", "--json", "--channels", 1)
    _, colour, _ = run("networks", "--name", "quarter-multiresunet", "--json")
    # two channels less for the first 3x3 convolution with its 30 kernels
    assert json.loads(colour)["parameters"] - json.loads(grey)["parameters"] == 2 * 9 * 30


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--name", "unett"), 2, "Did you mean 'unet'"),
        (("--name", "unet", "--encoder", "resnet18"), 1, "encoder"),
        (("--name", "smp-unet", "--encoder", "resnet33"), 1, "Did you mean 'resnet34'"),
        (("--encoder", "resnet18"), 2, "add --name"),
        (("--histograms", "default"), 2, "add --out"),
        (("--out", "somewhere"), 2, "--histograms MODEL"),
        (("--name", "unet", "--channels", "0"), 1, "1 or more channels"),
        (("--histograms", "nowhere", "--out", "somewhere"), 1, "not a model folder"),
    ],
)
def test_wrong_arguments_are_explained(run, arguments, code, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found, said, error = run("networks", *arguments)
    assert (found, said) == (code, "")
    assert message in error
    assert not list(tmp_path.iterdir())


def test_histograms_of_a_trained_model(run, small, tmp_path):
    options = dict(NETWORKS["half-unet"].small)
    card = ModelCard("mine", "half-unet", options=options)
    save_model(Model(small("half-unet"), card), tmp_path / "mine")
    out = tmp_path / "out"
    code, said, error = run("networks", "--histograms", tmp_path / "mine", "--out", out)
    assert (code, error) == (0, "")
    assert sorted(path.name for path in out.iterdir()) == ["mine_weights.csv", "mine_weights.png"]
    with (out / "mine_weights.csv").open(newline="") as file:
        layers = {row["layer"] for row in csv.DictReader(file)}
    assert "encoder.0.first.0" in layers
    assert all(layer in said for layer in layers)
    assert run("networks", "--histograms", tmp_path / "mine", "--out", out)[0] == 1
    assert run("networks", "--histograms", tmp_path / "mine", "--out", out, "--overwrite")[0] == 0


@pytest.mark.parametrize(("model", "name"), [("default", "half-multiresunet-nile-red"), ("half-unet", "half-unet")])
def test_histograms_of_the_bundled_and_of_a_fresh_network(run, model, name, tmp_path):
    assert run("networks", "--histograms", model, "--out", tmp_path)[0] == 0
    assert (tmp_path / f"{name}_weights.png").stat().st_size > 1000
