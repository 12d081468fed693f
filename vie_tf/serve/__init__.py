"""The page of a collection on a web server of this machine, with uploads."""
