"""Downloads the clips of Kinetics."""
