"""What a training run tells while it goes on."""

from dataclasses import dataclass

from napari_mpseg.training.run.validation import Validation


@dataclass(frozen=True)
class TrainingEvent:
    """A step was taken, or an epoch has ended.

    Attributes
    ----------
    step, steps : int
        Done, and in all.
    epoch, epochs : int
        The one it belongs to, counted from 1, and in all.
    loss : float
        Of this step; at the end of an epoch the mean over it.
    learning_rate : float
    ended : bool
        Whether this is the end of an epoch.
    validation : Validation or None
        At the end of an epoch, where something was kept aside.
    best : bool
        Whether this epoch is the best so far.
    passed_epochs : float or None
        Epochs that have passed, where they do not all have as many steps: in a run of several stages.
    """

    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float
    learning_rate: float
    ended: bool = False
    validation: Validation | None = None
    best: bool = False
    passed_epochs: float | None = None

    @property
    def passed(self) -> float:
        """Epochs that have passed, with fractions."""
        if self.passed_epochs is not None:
            return self.passed_epochs
        return self.step * self.epochs / max(1, self.steps)
