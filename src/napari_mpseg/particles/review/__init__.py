"""Decisions of a reviewer: keep, class, edits of labels; and the audit record of all of them."""
