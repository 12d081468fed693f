"""The page of a collection, which opens from the disk."""
