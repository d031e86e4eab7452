"""Where items of work are done: threads of this process, other processes, or a dask cluster."""

from napari_mpseg.inference.schedulers.registry import SCHEDULERS, Scheduler, SchedulerEntry, find_scheduler, opened

__all__ = ["SCHEDULERS", "Scheduler", "SchedulerEntry", "find_scheduler", "opened"]
