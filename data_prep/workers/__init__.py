"""Runs tasks over processes, Beam pipelines and programs."""
