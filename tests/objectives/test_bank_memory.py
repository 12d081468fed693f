import pytest
from run_fixtures import run_config

from vie_tf.objectives.bank.bank_memory import Devices, bytes_of, check_fits
from vie_tf.storage.errors import UserError

NUM_VIDEOS, DIM = 10**8, 128
ON_ONE_MACHINE = Devices(num_replicas=8, num_here=8, num_bytes=64 * 10**9)
ON_EIGHT = Devices(num_replicas=8, num_here=1, num_bytes=8 * 10**9)


def settings(**loss):
    return run_config("data", loss=loss).loss


@pytest.mark.parametrize(
    ("loss", "devices", "gigabytes"),
    [
        ({}, ON_ONE_MACHINE, 8 * 51.2),
        ({"bank": "sharded"}, ON_ONE_MACHINE, 51.2),
        ({"bank": "sharded", "bank_dtype": "float16"}, ON_ONE_MACHINE, 25.6),
        ({}, ON_EIGHT, 51.2),
        ({"bank": "sharded"}, ON_EIGHT, 6.4),
    ],
)
def test_a_bank_takes_its_rows_on_every_device(loss, devices, gigabytes):
    assert bytes_of(settings(**loss), NUM_VIDEOS, DIM, devices) == gigabytes * 1e9


def test_the_last_shard_takes_as_much_as_the_others():
    devices = Devices(4, 4, 10**9)
    assert bytes_of(settings(bank="sharded"), 10, 16, devices) == 4 * 3 * 16 * 4


def test_a_bank_that_fits_is_taken():
    check_fits(settings(bank="sharded"), NUM_VIDEOS, DIM, ON_ONE_MACHINE)


def test_a_bank_that_does_not_fit_is_refused_with_what_would():
    with pytest.raises(UserError) as error:
        check_fits(settings(), NUM_VIDEOS, DIM, ON_ONE_MACHINE)
    assert str(error.value) == (
        "The memory bank of 100,000,000 videos takes 409.6 GB on 8 of 8 replicas, and"
        " this machine has 64.0 GB. What would fit: --bank=sharded"
        " --bank_dtype=float32 (51.2 GB), --bank=sharded --bank_dtype=bfloat16"
        " (25.6 GB)."
    )


def test_where_nothing_would_fit_the_error_says_how_many_videos_would():
    small = Devices(num_replicas=2, num_here=1, num_bytes=256 * 10**6)
    with pytest.raises(UserError, match="in 16 bits, 2,000,000 videos would fit"):
        check_fits(settings(), NUM_VIDEOS, DIM, small)
