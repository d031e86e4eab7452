"""The words on a result in the status line."""

from types import SimpleNamespace

import numpy as np

from napari_mpseg.gui.summary import measured_summary, size_table, summary
from napari_mpseg.particles.measure import measure


def reviewed(*keep):
    labels = np.zeros((20, 20), np.int32)
    for number in range(len(keep)):
        labels[4 * number : 4 * number + 2, 2:4] = number + 1
    return measure(labels).with_columns(keep=np.array(keep, bool))


def result(table):
    image = SimpleNamespace(name="scan <1>")
    return SimpleNamespace(count=len(table), particles=table, image=image, threshold=None, provenance={}, notes=())


def test_rejected_particles_are_left_out_and_told():
    table = reviewed(True, False, True, False)
    text = summary(result(table))
    assert "<b>2 particles</b> in scan &lt;1&gt;, 2 rejected, left out" in text
    assert text.count("rejected") == 1
    assert ">2</td>" in text
    assert ">4</td>" not in text
    text = measured_summary(SimpleNamespace(table=table, labels=None, notes=()), "scan")
    assert "<b>2 particles</b> measured in scan, 2 rejected, left out" in text
    assert "(Feret), 2 rejected, left out:" in size_table(table)


def test_nothing_is_said_where_nothing_was_rejected():
    table = reviewed(True)
    for text in (summary(result(table)), size_table(table)):
        assert "rejected" not in text
        assert "(Feret):" in text


def test_all_rejected():
    assert "<b>0 particles</b> in scan &lt;1&gt;, 2 rejected" in summary(result(reviewed(False, False)))
