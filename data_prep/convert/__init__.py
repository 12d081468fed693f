"""Converts videos into a data set: shards, manifest, and the state of both."""
