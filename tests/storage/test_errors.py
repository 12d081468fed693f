import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

from vie_tf.storage import command_line
from vie_tf.storage.errors import error_line

ROOT = pathlib.Path(__file__).parents[2]
# A command whose step takes 512 TB.
SCRIPT = """
'A script.'
from flags import cli
def main():
    import tensorflow as tf
    from vie_tf import step_errors
    step, size = tf.function(lambda size: tf.fill([size], 1.0)), tf.constant(2**47)
    {call}
cli.run(main, [])
"""


def check_numerics(value):
    return tf.debugging.check_numerics(value, "loss")


def failing(function, *arguments):
    with pytest.raises(tf.errors.OpError) as caught:
        function(*arguments)
    return caught.value


def test_it_is_what_happened_without_names_of_nodes():
    error = failing(tf.function(check_numerics), tf.constant(float("inf")))
    assert error_line(error) == "loss : Tensor had Inf values"


def test_it_is_what_a_file_system_says():
    error = failing(tf.io.read_file, "/nowhere")
    assert error_line(error) == "/nowhere; No such file or directory"


def test_it_is_the_first_of_several():
    text = """Graph execution error:

2 root error(s) found.
  (0) RESOURCE_EXHAUSTED:  OOM when allocating tensor with shape[64] and type float
\t [[{{node conv1/Conv2D}}]]
  (1) RESOURCE_EXHAUSTED:  OOM when allocating tensor with shape[32] and type float
0 successful operations."""
    error = tf.errors.ResourceExhaustedError(None, None, text)
    wanted = "OOM when allocating tensor with shape[64] and type float"
    assert error_line(error) == wanted


def test_an_error_without_words_has_its_kind():
    assert error_line(tf.errors.AbortedError(None, None, "")) == "AbortedError"


def test_commands_with_argparse_end_with_it(capsys):
    assert command_line.exit_code_of(lambda: tf.io.read_file("/nowhere")) == 1
    assert capsys.readouterr().err == "error: /nowhere; No such file or directory\n"


@pytest.mark.parametrize(
    ("call", "start"),
    [
        ("step(size)", ""),
        (
            "step_errors.take_step(step, size, 7, 64)",
            "Step 7 does not fit into the memory of the device: lower --batch_size (now"
            " 64), share it among more devices (--num_replicas), or halve what it takes"
            " by --precision=mixed_bfloat16 or mixed_float16. TensorFlow says: ",
        ),
    ],
    ids=["anywhere", "in a step"],
)
def test_a_device_without_memory_is_one_line_and_exit_code_one(call, start):
    # oneDNN's allocator waits ten seconds for memory.
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"}
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(call=call)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    wanted = f"error: {start}OOM when allocating tensor with shape[140737488355328]"
    assert line.startswith(wanted)
