"""Small frames of video files, read without a conversion."""
