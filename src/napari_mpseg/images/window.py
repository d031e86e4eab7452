"""Computing a small part of a large dask array in time that does not grow with the array.

``array[window].compute()`` looks through every chunk of the array before it reads the few that it needs: 5 to 100 ms
per window on 100,000 x 100,000 px in chunks of 512. Here the graph is followed from the window's chunks alone.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_mpseg.images.reading import reading_scheduler


def compute_part(array: Any, place: tuple[slice, ...]) -> NDArray[Any]:
    """Return a part of any array, computed where :mod:`napari_mpseg.images.reading` says.

    Parameters
    ----------
    array : dask array, or whatever numpy can make an array of
    place : tuple of slice

    Returns
    -------
    ndarray
    """
    part = array[place]
    if not hasattr(part, "__dask_graph__"):
        return np.asarray(part)
    return np.asarray(_with_small_graph(part).compute(scheduler=reading_scheduler()))


def _with_small_graph(part: Any) -> Any:
    """Return the same array with only those tasks in its graph that it needs."""
    from dask.array import Array
    from dask.highlevelgraph import HighLevelGraph

    graph = part.__dask_graph__()
    if not isinstance(graph, HighLevelGraph):
        return part
    small = _culled(graph, set(_flat(part.__dask_keys__())))
    return Array(small, part.name, part.chunks, meta=part._meta)


def _culled(graph: Any, wanted: set[Any]) -> Any:
    """Return the layers with those of their tasks that lead to the keys `wanted`.

    ``HighLevelGraph.cull`` does the same and lists every key of the graph for it.
    """
    from dask.highlevelgraph import HighLevelGraph

    keys = _Keys(graph.layers)
    layers: dict[str, Any] = {}
    for name in _users_first(graph.dependencies):
        layer, needs = _culled_layer(graph.layers[name], wanted, keys)
        if needs:
            layers[name] = layer
            wanted.update(*needs.values())
    return HighLevelGraph(layers, {name: graph.dependencies[name] & layers.keys() for name in layers})


def _culled_layer(layer: Any, wanted: set[Any], keys: "_Keys") -> tuple[Any, Mapping[Any, Collection[Any]]]:
    from dask.blockwise import Blockwise
    from dask.highlevelgraph import MaterializedLayer

    if isinstance(layer, Blockwise):
        mine = {key for key in wanted if isinstance(key, tuple) and key[0] == layer.output}
        return layer.cull(mine, keys) if mine else (layer, {})
    left = [key for key in wanted if key in layer]
    tasks: dict[Any, Any] = {}
    needs: dict[Any, Collection[Any]] = {}
    while left:
        key = left.pop()
        if key not in tasks:
            tasks[key] = task = layer[key]
            known = getattr(task, "dependencies", None)
            needs[key] = layer.get_dependencies(key, keys) if known is None else known
            left.extend(need for need in needs[key] if need in layer)
    return MaterializedLayer(tasks, annotations=layer.annotations), needs


class _Keys(Collection[Any]):
    """All keys of a graph, without a list of them."""

    def __init__(self, layers: Mapping[str, Any]) -> None:
        self._layers = layers

    def __contains__(self, key: object) -> bool:
        from dask.blockwise import Blockwise

        name = key[0] if isinstance(key, tuple) and key else None
        # asking a blockwise layer for a key makes it write down all of them
        return any(
            isinstance(name, str) and name == layer.output if isinstance(layer, Blockwise) else key in layer
            for layer in self._layers.values()
        )

    def __iter__(self) -> Iterator[Any]:
        for layer in self._layers.values():
            yield from layer

    def __len__(self) -> int:
        return sum(map(len, self._layers.values()))


def _users_first(dependencies: Mapping[str, set[str]]) -> list[str]:
    """Return the layers in such order that each comes before those it needs."""
    users = dict.fromkeys(dependencies, 0)
    for needs in dependencies.values():
        for need in needs:
            users[need] += 1
    free = [name for name, count in users.items() if not count]
    order = []
    while free:
        name = free.pop()
        order.append(name)
        for need in dependencies[name]:
            users[need] -= 1
            if not users[need]:
                free.append(need)
    return order


def _flat(keys: Any) -> Iterator[Any]:
    for key in keys:
        if isinstance(key, list):
            yield from _flat(key)
        else:
            yield key
