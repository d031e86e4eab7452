"""The engine under every method: tile grid, device choice, dask graph, chunked labelling, stores."""
