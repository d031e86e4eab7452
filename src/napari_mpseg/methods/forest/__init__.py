"""Random forests on pixel features, learnt from strokes."""
