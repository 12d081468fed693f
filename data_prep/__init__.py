"""Videos in, TFRecords out: index -> decode -> shards -> manifest."""

# Makes TensorFlow silent, which workers may import first.
import vie_tf  # noqa: F401
