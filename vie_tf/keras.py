"""Which Keras: the one module that decides; all others import `keras` from here.

Networks, optimizers and checkpoints are those of Keras 2.  TensorFlow 2.15 has it as
`tf.keras`; from 2.16 on `tf.keras` is Keras 3, and Keras 2 is the package `tf_keras`.
`TF_USE_LEGACY_KERAS` may have any value:

    from vie_tf.keras import keras

    class Head(keras.layers.Layer): ...
"""

from importlib import metadata, util

import tensorflow as tf

if tuple(map(int, tf.__version__.split(".")[:2])) >= (2, 16):
    import tf_keras as keras
elif util.find_spec("tf_keras"):
    # Either, as TF_USE_LEGACY_KERAS says: the one that a user's own layers come from.
    from tensorflow import keras
else:
    # What tf.keras is, without its complaint if TF_USE_LEGACY_KERAS is set.
    from keras.api._v2 import keras

_PACKAGE = keras.layers.Layer.__module__.split(".")[0]
# Package and version, such as "tf_keras 2.21.0".
VERSION = f"{_PACKAGE} {metadata.version(_PACKAGE)}"

__all__ = ["VERSION", "keras"]
