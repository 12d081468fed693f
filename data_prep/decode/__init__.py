"""Decodes a video into JPEG frames at the frame rate and size of the records."""
