"""Checkpoints of the authors' TF1 code, read into networks and runs."""

from vie_tf.runs.tf1_checkpoint.conversion import MadeRun, make_run, restore
from vie_tf.runs.tf1_checkpoint.report import Report

__all__ = ["MadeRun", "Report", "make_run", "restore"]
