"""Text and pictures that are drawn."""
