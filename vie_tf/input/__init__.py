"""Records to batches: sampling, augmentation, and the tf.data pipeline."""
