"""A run of two replicas that stopped and went on, against one that did not."""

import functools

import numpy as np
from commands import start_command
from record_fixtures import write_data_set
from run_contents import numbers_in
from toy_networks import make_normalized_embedder, use_toy_networks

SETTINGS = (
    *("--model=slow", "--embedding_dim=16", "--num_frames=2", "--frame_interval=2"),
    *("--crop_size=32", "--batch_size=4", "--loss=ir", "--ir_num_negatives=6"),
    *("--color=none", "--checkpoint_steps=100", "--eval_steps=0", "--num_replicas=2"),
)


def test_it_ends_with_the_same_bits_also_in_the_statistics_of_batch_norm(tmp_path):
    write_data_set(tmp_path / "data", num_train=11, num_val=0)
    setup = functools.partial(use_toy_networks, make=make_normalized_embedder)
    for name, steps in (("whole", 6), ("stopped", 3), ("stopped", 6)):
        output = tmp_path / f"{name}.txt"
        process = start_command(
            *("train.py", *SETTINGS, f"--train_steps={steps}"),
            *(f"--data_dir={tmp_path / 'data'}", f"--model_dir={tmp_path / name}"),
            output=output,
            setup=setup,
        )
        process.join()
        assert process.exitcode == 0, output.read_text()
    whole, stopped = (numbers_in(tmp_path / name) for name in ("whole", "stopped"))
    assert "model/batch_norm/moving_variance" in whole
    for name, wanted in whole.items():
        np.testing.assert_array_equal(stopped[name], wanted, err_msg=name)
