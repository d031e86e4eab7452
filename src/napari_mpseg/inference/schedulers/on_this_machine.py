"""The dask graph of some work, run by dask's scheduler for one machine on any pool of threads or processes."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from napari_mpseg.inference.schedulers.tally import Tally
from napari_mpseg.inference.work import Work
from napari_mpseg.progress import CancelToken

Do = Callable[..., Any]
_AT_A_TIME = 4096  # items of one graph: dask orders each graph before it begins


def graph_of(work: Work, items: list[Hashable], do: Do) -> tuple[dict[str, Any], dict[str, Hashable]]:
    """Return the dask graph of items and all they need, and the item of each key.

    Keys are plain strings, and items are bound into what is called: dask would take strings, tuples and lists among
    the arguments for keys and tasks.

    Parameters
    ----------
    do : callable
        Takes an item and what it needs.
    """
    graph: dict[str, Any] = {}
    keys: dict[Hashable, str] = {}
    left = list(reversed(items))
    while left:
        item = left.pop()
        if item in keys:
            continue
        keys[item] = f"item-{len(keys):012d}"
        left.extend(need for need in work.needs(item) if need not in keys)
    for item, key in keys.items():
        graph[key] = (partial(do, item), *(keys[need] for need in work.needs(item)))
    return graph, {key: item for item, key in keys.items()}


def run_graph(
    work: Work,
    do: Do,
    tally: Tally,
    cancel: CancelToken,
    *,
    submit: Callable[..., Any],
    at_once: int,
    flying: set[Hashable] | None = None,
    **travel: Any,
) -> None:
    """Do what is left in `tally`; results are handed on in this thread and then forgotten.

    Parameters
    ----------
    do : callable
        Takes an item and what it needs.
    submit : callable
        Of an executor.
    at_once : int
        Items given to the executor. One more than it has hands keeps these busy while a result is handed on.
    flying : set, optional
        Is kept to what is given to the executor and has not come back.
    **travel
        How tasks and errors are brought to where they are done, see ``dask.local.get_async``.
    """
    items = list(tally.left)
    step = _AT_A_TIME if not any(work.needs(item) for item in items) else max(1, len(items))
    for start in range(0, len(items), step):
        _run_part(work, do, items[start : start + step], tally, cancel, submit, at_once, flying, travel)


def _run_part(
    work: Work,
    do: Do,
    part: list[Hashable],
    tally: Tally,
    cancel: CancelToken,
    submit: Callable[..., Any],
    at_once: int,
    flying: set[Hashable] | None,
    travel: dict[str, Any],
) -> None:
    from dask.local import get_async

    graph, items = graph_of(work, part, do)
    chosen = set(part)
    asked = [key for key, item in items.items() if item in chosen]
    wanted = set(asked)
    away: set[Hashable] = set() if flying is None else flying

    def begin(_graph: Any, state: Any) -> None:
        # In order, as neighbours share blocks of the file. Where items need others dask knows better what comes when.
        if len(graph) == len(state["ready"]):
            state["ready"].sort(reverse=True)

    def before(key: str, _graph: Any, _state: Any) -> None:
        cancel.check()
        away.add(items[key])

    def after(key: str, result: Any, _graph: Any, state: Any, _worker: Any) -> None:
        away.discard(items[key])
        if key in wanted:
            tally.take(items[key], result)
        # dask keeps what was asked for until the end
        for ended in (key, *state["dependencies"][key]):
            if ended in wanted and not state["waiting_data"].get(ended):
                state["cache"][ended] = None
        cancel.check()

    get_async(
        submit,
        at_once,
        graph,
        asked,
        callbacks=[(None, begin, before, after, None)],
        rerun_exceptions_locally=False,
        chunksize=1,
        **travel,
    )
