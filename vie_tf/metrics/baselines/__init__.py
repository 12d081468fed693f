"""Embeddings that have learned nothing, which a network is compared with."""
