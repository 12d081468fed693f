"""Looks at what the input gives: pictures and rates."""
