"""Results of several runs side by side, and beside the paper's tables."""
