"""Videos to a data set: shards, manifest, and their state."""
