"""kNN: classification by nearest neighbors."""

from __future__ import annotations

from typing import Callable, Sequence, TypeVar

from absl import flags

from vie_tf.config import KnnConfig

_MIN_TEMPERATURE = 1e-3

_Number = TypeVar("_Number", int, float)

_K = flags.DEFINE_list(
    "knn_k",
    [str(KnnConfig.k)],
    "Neighbors that vote. evaluate.py takes several, such as 5,10,20, of which the"
    " first is the headline.",
)
_TEMPERATURE = flags.DEFINE_list(
    "knn_temperature",
    [str(KnnConfig.temperature)],
    "A vote weighs exp(similarity / temperature). evaluate.py takes several, such as"
    " 0.07,0.05, of which the first is the headline.",
)
_NUM_CLIPS = flags.DEFINE_integer(
    "num_clips",
    KnnConfig.num_clips,
    "Equally spaced clips of a video at test time.",
    lower_bound=1,
)


def _numbers(
    texts: Sequence[str], kind: Callable[[str], _Number], lowest: _Number
) -> tuple[_Number, ...] | None:
    """Reads a list of numbers; None if it is not one of distinct, allowed ones."""
    try:
        numbers = tuple(kind(text) for text in texts)
    except ValueError:
        return None
    fine = numbers and all(lowest <= number < float("inf") for number in numbers)
    return numbers if fine and len(set(numbers)) == len(numbers) else None


def _ks(texts: Sequence[str]) -> tuple[int, ...] | None:
    return _numbers(texts, int, 1)


def _temperatures(texts: Sequence[str]) -> tuple[float, ...] | None:
    return _numbers(texts, float, _MIN_TEMPERATURE)


flags.register_validator(
    _K,
    lambda texts: _ks(texts) is not None,
    "give whole numbers, at least 1, each once, with commas in between",
)
flags.register_validator(
    _TEMPERATURE,
    lambda texts: _temperatures(texts) is not None,
    f"give numbers, at least {_MIN_TEMPERATURE}, each once, with commas in between",
)


def ks() -> tuple[int, ...]:
    """Returns the numbers of neighbors."""
    return _ks(_K.value) or ()


def temperatures() -> tuple[float, ...]:
    """Returns the temperatures."""
    return _temperatures(_TEMPERATURE.value) or ()


def num_clips() -> int:
    """Returns the number of clips per video."""
    return _NUM_CLIPS.value


def knn_config() -> KnnConfig:
    """Builds the settings of a command that votes once.

    Raises:
      ValueError: several values were given.
    """
    for flag in (_K, _TEMPERATURE):
        if len(flag.value) > 1:
            raise ValueError(
                f"--{flag.name}={','.join(flag.value)}: only evaluate.py --task=knn"
                " takes several; give one."
            )
    return KnnConfig(k=ks()[0], temperature=temperatures()[0], num_clips=num_clips())
