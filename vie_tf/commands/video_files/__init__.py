"""Video files as commands need them: thumbnails, and uploads that are queries."""
