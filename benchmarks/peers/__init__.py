"""The training step of this project and of others, each in a process of its own.

`benchmarks.train_step` starts them: `python -m benchmarks.peers.<code> CASE`, with a
`measurement.Case` in JSON, and reads the line of JSON that each one prints.

* `vie_tf_step`: this project's training step, as `train.py` takes it.
* `keras_step`: the networks of `keras_model`, plain Keras, in a plain `tf.function`.
* `torch_step`: the networks of `torch_model`; needs torch and numpy, no TensorFlow.

All of them have the same parameters, clips, memory bank and loss.
"""
