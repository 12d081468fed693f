"""The authors' published numbers, and a run compared with them."""
