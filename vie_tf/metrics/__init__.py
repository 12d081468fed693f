"""Embeddings to numbers: nearest neighbors, kNN, retrieval, and linear probes."""
