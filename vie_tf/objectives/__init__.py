"""What is learned: the losses of the paper, the memory bank, and its clusters."""
