"""Downloads the clips of a Kinetics list."""
