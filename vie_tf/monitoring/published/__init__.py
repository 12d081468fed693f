"""The authors' published numbers, and a run beside them."""
