import pytest
import tensorflow as tf

from vie_tf.storage.errors import UserError, error_line
from vie_tf.terminal import command_line
from vie_tf.training import failures


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


def test_a_command_tells_what_to_mend_in_one_line(capsys):
    def work():
        raise UserError("give --data_dir")

    assert command_line.exit_code_of(work) == 1
    assert capsys.readouterr().err == "error: give --data_dir\n"


def test_a_command_that_is_interrupted_has_the_exit_code_of_a_shell(capsys):
    def work():
        raise KeyboardInterrupt

    assert command_line.exit_code_of(work) == 130
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_step_without_memory_is_one_line_that_names_the_flags(capsys):
    def step(batch):
        # As on a device with too little memory; a real one waits ten seconds for it.
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    code = command_line.exit_code_of(lambda: failures.take_step(step, {}, 7, 64))
    (line,) = capsys.readouterr().err.splitlines()
    assert code == 1
    for word in ("Step 7", "--batch_size (now 64)", "--precision", "OOM when"):
        assert word in line
