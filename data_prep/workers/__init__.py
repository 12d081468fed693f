"""Processes that share the work, and their progress."""
