"""A video file to JPEG frames at the frame rate and size of the records."""
