"""*Make labels*: what segmenting again with another threshold would give, as a new layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from napari_mpseg.gui.evaluate_input import pixels_in_view, stored_probability
from napari_mpseg.gui.layer_input import has_channel_axis, snapshot_stack
from napari_mpseg.gui.memory import preferences
from napari_mpseg.gui.particle_table import make_table_quick, show_table
from napari_mpseg.gui.threshold_work import how_it_was_made, labels_at, source_image
from napari_mpseg.gui.train_inputs import of_stack
from napari_mpseg.gui.visible import needed_plane, planes_shape
from napari_mpseg.gui.worker import Job
from napari_mpseg.layers import add_labels


@dataclass(frozen=True)
class LabelsWork:
    """Labels in the making.

    Attributes
    ----------
    job : Job
        Gives what :meth:`add` takes.
    layer : napari.layers.Image
        The probability.
    plane : tuple of int
        Which plane of it.
    """

    job: Job
    layer: Any
    plane: tuple[int, ...]

    def add(self, viewer: Any, outcome: tuple[Any, Any]) -> Any:
        """Add the labels with their table to the viewer, and return the result."""
        result, prepared = outcome
        source = self.layer.metadata.get("napari-mpseg", {}).get("source", self.layer.name)
        make_table_quick(viewer)
        labels = add_labels(
            viewer,
            result,
            self.layer if self.layer in viewer.layers else None,
            plane=self.plane,
            prepared=prepared,
            name=f"{source} particles at {result.threshold:.3f}",
            source=source,
        )
        show_table(viewer, labels)
        return result


def labels_work(viewer: Any, layer: Any, *, threshold: float, min_size: int, connectivity: int) -> LabelsWork:
    """Return the work that makes labels of the plane in view.

    Raises
    ------
    MpsegError
        If the layer holds no probability, or has no plane in view.
    """
    import dask.array as da

    from napari_mpseg.images.image import Image
    from napari_mpseg.images.layers import layer_calibration

    method, record, _ = how_it_was_made(layer)
    plane, calibration = needed_plane(viewer, layer), layer_calibration(layer)
    probability = stored_probability(pixels_in_view(viewer, layer), layer.name)
    chunks = probability if hasattr(probability, "dask") else da.from_array(probability, chunks=(1024, 1024))
    job = Job(
        labels_at,
        Image(chunks, layer.name, calibration),
        source_plane(viewer, layer),
        threshold=threshold,
        min_size=min_size,
        connectivity=connectivity,
        calibration=calibration,
        method=method,
        record=record,
        cache=preferences().cache_folder or None,
        title=f"Labels of {layer.name}",
    )
    return LabelsWork(job, layer, plane)


def source_plane(viewer: Any, layer: Any) -> Any:
    """Return the plane in view of the image that a probability was made from; None if it is not there.

    Raises
    ------
    MpsegError
        If it cannot be read, or has no plane in view.
    """
    source = source_image(layer, viewer.layers)
    if source is None:
        return None
    if has_channel_axis(source):
        return snapshot_stack(source, channels_first=True).image()
    return snapshot_stack(source).image(of_stack(needed_plane(viewer, source), planes_shape(source)))
