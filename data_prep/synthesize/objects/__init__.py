"""A world of objects: rendered pictures of one thing each, from any side."""
