"""The result of segmenting one image."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_mpseg.images.image import Image

if TYPE_CHECKING:
    import pandas as pd

    from napari_mpseg.particles.table import ParticleTable


@dataclass(frozen=True)
class Result:
    """Particles found on one image.

    Attributes
    ----------
    image : Image
        What was segmented, with its calibration.
    labels : zarr.Array
        int32 ``(Y, X)``; particles 1..N, 0 background.
    probability : zarr.Array
        uint8 ``(Y, X)``; 255 stands for probability 1.
    count : int
        Number of particles.
    particles : ParticleTable or None
        One row per particle with units; None if measuring was not asked for.
    method : str
        Name of the method.
    threshold : float
        Probability above which pixels are particle.
    provenance : dict
        Everything needed to run it again.
    notes : tuple of str
        What the user should know about this result.
    store : Path or None
        Folder of the OME-Zarr store; None if it is temporary, living as long as the arrays do.
    macro_counts : pandas.DataFrame or None
        What an ImageJ macro itself would have counted, one row per class, if that was asked for.
    """

    image: Image
    labels: Any
    probability: Any
    count: int
    particles: "ParticleTable | None"
    method: str
    threshold: float
    provenance: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    store: Path | None = None
    macro_counts: "pd.DataFrame | None" = None

    @property
    def table(self) -> "pd.DataFrame":
        """The particle table as a data frame (empty and without columns if measuring was not asked for)."""
        if self.particles is None:
            import pandas as pd

            return pd.DataFrame()
        return self.particles.frame

    @property
    def told_apart(self) -> bool:
        """Whether the method told touching particles apart; see :mod:`napari_mpseg.results.instances`."""
        from napari_mpseg.results.instances import told_apart

        return told_apart(self.provenance)

    def summary(self) -> str:
        """Return a few lines for people: counts per size class, density, share of area."""
        from napari_mpseg.results.summary import summarise

        return summarise(self)

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> dict[str, Path]:
        """Write store, tables, overlay picture and run record into `folder`.

        Returns
        -------
        dict of str to Path
            What was written: ``"store"``, ``"csv"``, ``"parquet"``, ``"overlay"``, ``"record"``, and
            ``"macro"`` where there are counts of a macro.

        Raises
        ------
        StoreError
            If results of this name are there already (and `overwrite` is False) or cannot be written.
        """
        from napari_mpseg.results.saving import save_result

        return save_result(self, Path(folder), overwrite=overwrite)

    def add_to(self, viewer: Any, *, layer: Any = None) -> tuple[Any, Any]:
        """Add probability and labels to a napari viewer as new layers, with the table as features.

        The image itself is added below them, unless it is there already: given as `layer`, or
        as an image layer of its name and size.

        Parameters
        ----------
        viewer : napari.Viewer
        layer : napari.layers.Layer, optional
            The layer the image came from; the new layers lie where it lies.

        Returns
        -------
        tuple
            Probability layer and labels layer.
        """
        from napari_mpseg.layers import add_image, add_result, find_image

        if self.store is not None:
            from napari_mpseg.results.corrections.correct import finish_left_over

            finish_left_over(self.store)
        layer = layer if layer is not None else find_image(viewer, self.image)
        if layer is None:
            add_image(viewer, self.image)
        return add_result(viewer, self, layer)
