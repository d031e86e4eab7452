"""What *Segment a folder* hands on of the form and of the preferences; no viewer is needed."""

from importlib.resources import files

import pytest
import yaml


@pytest.fixture
def form(qtbot):
    from napari_mpseg.gui.batch_form import BatchForm
    from napari_mpseg.gui.memory import Memory

    made = BatchForm(Memory("batch"))
    qtbot.addWidget(made)
    return made


@pytest.fixture
def prefer(monkeypatch):
    """Set preferences."""
    from napari_mpseg.gui import batch_form
    from napari_mpseg.gui.memory import Preferences

    def set_preferences(**chosen):
        monkeypatch.setattr(batch_form, "preferences", lambda: Preferences(**chosen))

    return set_preferences


def test_the_preferences_offer_every_runtime():
    from napari_mpseg.inference.runtimes import RUNTIMES

    manifest = yaml.safe_load(files("napari_mpseg").joinpath("napari.yaml").read_text(encoding="utf-8"))
    properties = manifest["contributions"]["configurations"]["processing"]["properties"]
    assert properties["runtime"]["enum"] == ["auto", *RUNTIMES]


@pytest.mark.parametrize(
    ("method", "chosen", "expected"),
    [("default", "torch-bf16", "torch-bf16"), ("default", "auto", None), ("otsu", "torch-bf16", None)],
)
def test_the_preferred_runtime_computes_networks(form, prefer, method, chosen, expected):
    prefer(runtime=chosen)
    form.method.choose(method)
    assert form.settings.runtime == expected


def test_a_preferred_runtime_that_is_unknown_is_said_with_its_place(form, prefer):
    from napari_mpseg.errors import SettingsError

    prefer(runtime="torch")
    form.method.choose("default")
    with pytest.raises(SettingsError, match=r"'torch', which is set under File > Preferences > napari-mpseg.*-fp32"):
        _ = form.settings


def test_empty_parts_can_be_left_out_by_networks_only(form):
    from napari_mpseg.inference.screening import SCREENS

    form.show()
    form.method.choose("default")
    form.more.setChecked(True)
    assert form.empty.isVisible()
    assert form.settings.skip_empty is None
    name = next(iter(SCREENS))
    form.empty.setCurrentIndex(form.empty.findData(name))
    assert form.settings.skip_empty == name
    form.more.setChecked(False)
    assert form.more.text() == "More choices (1 set) …"
    form.more.setChecked(True)
    form.method.choose("otsu")
    assert not form.empty.isVisible()
    assert form.settings.skip_empty is None
