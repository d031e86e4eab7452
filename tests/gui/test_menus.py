"""Everything the manifest declares, reached from the menus as a user does."""

import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
from npe2 import PluginManifest

MANIFEST = PluginManifest.from_file(files("napari_mpseg") / "napari.yaml")


def entries():
    """Give the menu under Layers and the entry of every widget, as the manifest says."""
    titles = {command.id: command.title for command in MANIFEST.contributions.commands}
    for menu, items in MANIFEST.contributions.menus.items():
        for item in items:
            yield menu.rpartition("/")[2].capitalize(), titles[item.command]


def test_every_widget_has_a_menu_under_layers():
    assert {entry for _, entry in entries()} == {widget.display_name for widget in MANIFEST.contributions.widgets}


def test_widgets_open_from_the_menus(viewer, click_menu):
    opened = set()
    for submenu, entry in entries():
        click_menu("Layers", submenu, entry)
        opened.add(next(name for name in viewer.window.dock_widgets if name.startswith(entry)))
    assert len(opened) == len(MANIFEST.contributions.widgets)
    click_menu("Plugins", "napari-mpseg", "Segment particles")


@pytest.mark.slow
def test_sample_filter_segmented_with_a_real_method(viewer, click_menu, segment_widget, finished, screenshot, qtbot):
    click_menu("File", "Open Sample", "napari-mpseg", "Stitched filter")
    image, truth = viewer.layers
    assert image.data.shape == (2048, 2048, 3)
    assert not truth.visible
    assert str(image.units[0]) == "micrometer"
    segment_widget.method.choose("max-entropy")
    segment_widget.panel.run_button.click()
    finished(segment_widget)
    labels = viewer.layers[-1]
    found = np.unique(truth.data[labels.data > 0])
    assert (found > 0).sum() > 0.5 * truth.data.max()
    assert len(labels.features) == labels.data.max() + 1
    screenshot("filter")
    click_menu("Layers", "Measure", "Measure particles")
    screenshot("both_widgets")


@pytest.mark.slow
def test_sample_sem(viewer, click_menu, screenshot):
    pytest.importorskip("napari_mpseg.synthesis.sem")
    click_menu("File", "Open Sample", "napari-mpseg", "Nanoparticles")
    image, truth = viewer.layers
    assert image.data.ndim == 2
    assert truth.data.max() > 100
    assert image.units == truth.units
    assert not image.units[0].dimensionless
    screenshot("sem")


def test_opening_the_widgets_loads_no_torch():
    program = (
        "import sys\n"
        "from napari.components import ViewerModel\n"
        "from qtpy.QtWidgets import QApplication\n"
        "app = QApplication([])\n"
        "from napari_mpseg.gui.segment_widget import SegmentWidget\n"
        "from napari_mpseg.gui.measure_widget import MeasureWidget\n"
        "import numpy as np\n"
        "viewer = ViewerModel()\n"
        "viewer.add_image(np.zeros((5, 5)))\n"
        "widgets = SegmentWidget(viewer), MeasureWidget(viewer)\n"
        "loaded = {'torch', 'segmentation_models_pytorch'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_manifest_is_valid():
    from npe2 import PluginManifest

    manifest = PluginManifest.from_distribution("napari-mpseg")
    manifest.validate_imports()
    assert all(command.id.startswith("napari-mpseg.") for command in manifest.contributions.commands)


def test_preferences_are_read(plugin_settings):
    from napari.settings import get_plugin_settings

    from napari_mpseg.gui.memory import Preferences, preferences

    assert preferences() == Preferences("auto", None, "")
    settings = get_plugin_settings("napari-mpseg").processing
    settings.device, settings.tile_size, settings.cache_folder = "cpu", 512, " /tmp/here "
    assert preferences() == Preferences("cpu", 512, "/tmp/here")
    with pytest.raises(ValueError, match="toaster"):
        settings.device = "toaster"
