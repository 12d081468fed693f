"""A collection of videos as people look at it: map, groups, doubles, search."""
