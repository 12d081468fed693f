"""Evaluation by nearest neighbors: kNN and retrieval."""
