"""Where items of work are done: threads of this process, other processes, or a dask cluster."""

from napari_mpseg.inference.schedulers.registry import SCHEDULERS, Scheduler, SchedulerEntry, find_scheduler, opened

# each registers itself; in the order of menus
from napari_mpseg.inference.schedulers import threads  # noqa: F401  # isort: skip
from napari_mpseg.inference.schedulers import processes  # noqa: F401  # isort: skip
from napari_mpseg.inference.schedulers import cluster  # noqa: F401  # isort: skip

__all__ = ["SCHEDULERS", "Scheduler", "SchedulerEntry", "find_scheduler", "opened"]
