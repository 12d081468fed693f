"""Generates videos whose class is a motion."""
