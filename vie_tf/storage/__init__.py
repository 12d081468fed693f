"""Files: what a data set is on disk, and how it is read and written."""
