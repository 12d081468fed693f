"""Command line flags, made from the settings that `vie_tf.config` declares."""
