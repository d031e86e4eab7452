"""The training loop of a detector: the heads alone first, then everything, each with the whole schedule."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.optim.lr_scheduler import LambdaLR

from napari_mpseg.detection.network import Detector
from napari_mpseg.detection.sampling import DetectionBatch, DetectionSampler
from napari_mpseg.detection.validation import tensors, validate_detector
from napari_mpseg.errors import SettingsError
from napari_mpseg.training.data.pairs import LabelledImage
from napari_mpseg.training.run.loop import Training
from napari_mpseg.training.run.validation import Validation
from napari_mpseg.training.settings import TrainSettings


class DetectorTraining(Training):
    """One training run of a detector.

    In the first epochs the backbone stands still, and all else learns: the pyramid, the proposals, and the heads for
    boxes and masks. Then everything learns. Schedule and momentum begin anew with the second stage, and the best epoch
    is looked for in the second stage alone (Babkauskas 2023).

    Parameters
    ----------
    network, sampler, settings, validation, device
        As for :class:`~napari_mpseg.training.run.loop.Training`.
    heads_epochs : int
        Epochs of the first stage.
    """

    def __init__(
        self,
        network: Detector,
        sampler: DetectionSampler,
        settings: TrainSettings,
        *,
        heads_epochs: int = 0,
        validation: Sequence[LabelledImage] = (),
        device: torch.device | None = None,
    ) -> None:
        self.heads_epochs = heads_epochs
        self._frozen: bool | None = None
        super().__init__(network, sampler, settings, validation=validation, device=device)  # type: ignore[arg-type]

    def chosen_loss(self) -> None:
        """Return nothing: the network tells its losses itself."""

    def chosen_schedule(self) -> Any:
        """Return the schedule, which begins anew with the second stage."""
        schedule = super().chosen_schedule()
        if not self.heads_epochs:
            return schedule
        if type(schedule) is not LambdaLR:
            raise SettingsError(
                f"The schedule {self.settings.schedule.name!r} cannot be run twice, for the heads and then for all. "
                "Choose constant, drop or stairs, or no epochs for the heads alone."
            )
        factor, first = schedule.lr_lambdas[0], self.heads_epochs * self.sampler.steps_per_epoch
        return LambdaLR(self.optimiser, lambda step: factor(step if step < first else step - first))

    def batch_loss(self, batch: Any) -> torch.Tensor:
        """Return the sum of the five losses: objectness and boxes of proposals, class, box and mask of particles."""
        assert isinstance(batch, DetectionBatch)
        self._enter_stage()
        losses = self.network(*tensors(batch.images, batch.targets, self.device))
        total: torch.Tensor = sum(losses.values())
        return total

    def validated(self) -> Validation:
        """Return loss and IoU of the weights as they are, on what was kept aside."""
        network: Any = self.snapshot() if self.average is not None else self.network
        settings = self.settings
        return validate_detector(
            network,
            self.validation,
            settings.patches.size,
            self.device,
            settings.threshold,
            settings.validation_windows,
        )

    def _enter_stage(self) -> None:
        """Let the backbone learn, or not, as the epoch demands."""
        frozen = len(self.history) < self.heads_epochs
        if frozen == self._frozen:
            return
        if len(self.history) == self.heads_epochs:  # not where a later epoch is gone on with
            self.optimiser.state.clear()
        self._frozen = frozen
        self.network.backbone.body.requires_grad_(not frozen)

    def _is_best(self, seen: Validation | None) -> bool:
        """Return whether the epoch that was appended last is the best of the second stage."""
        if seen is None or len(self.history) <= self.heads_epochs:
            return False
        earlier = [one.validation for one in self.history[self.heads_epochs : -1] if one.validation is not None]
        if self.settings.keep == "best-iou":
            return all(seen.iou > other.iou for other in earlier)
        return all(seen.loss < other.loss for other in earlier)
