"""How long a review of many particles makes the user wait: `xvfb-run -a python benchmarks/review_speed.py [COUNT]`.

Each figure is the time until the window has answered, the median of several; napari's features table is open.
"""

import os
import sys
import time
from statistics import median

import numpy as np

os.environ.setdefault("NAPARI_ENSURE_PLUGIN_MAIN_THREAD", "1")


def particles(count: int) -> np.ndarray:
    """Bars of 3 x 2 to 6 x 8 px in a square grid of 12 px."""
    side = int(np.ceil(count**0.5))
    labels = np.zeros((side * 12, side * 12), np.int32)
    sizes = np.random.default_rng(0).integers((3, 2), (7, 9), (count, 2))
    for number, (height, width) in enumerate(sizes):
        y, x = 12 * (number // side) + 3, 12 * (number % side) + 2
        labels[y : y + height, x : x + width] = number + 1
    return labels


def timed(app, title: str, *works) -> None:
    seconds = []
    for work in works:
        start = time.perf_counter()
        work()
        app.processEvents()
        seconds.append(time.perf_counter() - start)
    print(f"{title:<58}{median(seconds) * 1000:8.0f} ms   (longest {max(seconds) * 1000:.0f})", flush=True)


def main() -> None:
    import napari
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QApplication

    from napari_mpseg.gui.particle_table import show_table
    from napari_mpseg.gui.review_widget import ReviewWidget
    from napari_mpseg.particles.measure import measure
    from napari_mpseg.particles.review.columns import with_review_columns

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    labels = particles(count)
    image = np.random.default_rng(1).integers(0, 255, labels.shape).astype(np.uint8)
    features = with_review_columns(measure(labels, image)).to_features()
    viewer = napari.Viewer(show=True)
    app = QApplication.instance()
    viewer.add_image(image, name="image")
    layer = viewer.add_labels(labels, features=features)
    app.processEvents()
    print(f"{count:,} particles, {features.shape[1]} columns, labels {labels.shape}")

    made = []
    timed(app, "open the review", lambda: made.append(viewer.window.add_dock_widget(ReviewWidget(viewer))))
    widget = made[0].inner_widget()
    timed(app, "open napari's table", lambda: show_table(viewer, layer))
    session = widget.session
    columns = list(layer.features.columns)
    table = show_table(viewer, layer).table

    def sort(name):
        return lambda: table.sortByColumn(columns.index(name) + 1, Qt.SortOrder.DescendingOrder)

    timed(app, "sort the table by one column", *(sort(name) for name in ("area_px", "circularity", "keep", "class")))
    table.sortByColumn(columns.index("area_px") + 1, Qt.SortOrder.DescendingOrder)
    widget.go_on.setChecked(False)
    timed(app, "next particle", *[lambda: widget.step(1)] * 20)
    timed(app, "next particle and reject it", *[lambda: (widget.step(1), widget.decide(keep=False))] * 20)
    timed(app, "reject", *[lambda: widget.decide(keep=False)] * 10)
    timed(app, "give a class that is new to the table", lambda: widget.decide(to_class="tyre wear"))
    timed(app, "give a class", *[lambda: widget.decide(to_class="tyre wear")] * 10)
    timed(app, "undo a decision", *[session.undo] * 10)
    timed(app, "merge two particles", *(lambda n=n: session.merge([n, n + 1]) for n in (101, 201, 301)))
    wide = np.flatnonzero(layer.features["bbox_x1"] - layer.features["bbox_x0"] >= 5)[1000:1003]
    timed(app, "split a particle", *(lambda n=n: split(session, layer, int(n)) for n in wide))
    timed(app, "undo an edit", *[session.undo] * 3)
    timed(app, "look for cells edited in the table", *[session.notice] * 10)
    timed(app, "another order", *(lambda n=n: widget.order.setCurrentIndex(n) for n in (1, 2, 3, 0)))
    assert layer.features["keep"].eq(False).sum() >= 20
    viewer.close()


def split(session, layer, label: int) -> None:
    row = layer.features.iloc[label]
    middle = (row["bbox_x0"] + row["bbox_x1"] - 1) / 2
    session.split(label, [(row["bbox_y0"] - 2, middle), (row["bbox_y1"] + 1, middle)])


if __name__ == "__main__":
    main()
