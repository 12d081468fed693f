"""Crops, flips and recolors clips, and subtracts frames."""
