"""Describes and verifies a data set."""
