"""How well near-duplicates are found: copies of videos, and what is found of them."""
