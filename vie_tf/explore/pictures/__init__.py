"""Small frames of a collection's videos, and sheets of them."""
