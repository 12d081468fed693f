"""A world of people: rendered persons with real motion captures, in scenes."""
