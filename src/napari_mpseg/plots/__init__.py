"""Figures from particle tables, one file each behind one registry; matplotlib without a window."""
