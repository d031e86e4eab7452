"""From painted labels to labelled images: what was painted, checked, and split for validation."""
