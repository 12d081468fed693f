"""Folders and lists to videos: what there is to convert, before anything is decoded."""
