"""Command line flags, one file per station; each builds one config object."""
