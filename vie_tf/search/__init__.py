"""Embeddings of videos on disk, and the videos nearest to a query."""
