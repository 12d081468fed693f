"""Whether a training has learned more than what learns nothing."""
