"""Finds videos in folders and lists, and gives them ids and splits."""
