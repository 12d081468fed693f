"""What finds videos: one reader for folders, and one for each kind of list."""
