"""What was learned: features of a data set, kNN and retrieval."""
