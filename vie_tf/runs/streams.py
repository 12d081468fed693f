"""Two runs -> one two-stream network.

Comes in: a run of `single` and a run of `slow` or `slowfast`.  Goes out: settings and
weights of `two_stream_s` or `two_stream_sf`, whose outputs are those of both runs side
by side (paper, section 4: VIE-TwoStream).
"""

from __future__ import annotations

import dataclasses

from vie_tf.config import ModelConfig
from vie_tf.models.two_stream import TwoStream
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import UserError

# Family of the dynamic stream -> the two-stream family.
_FAMILIES = {"slow": "two_stream_s", "slowfast": "two_stream_sf"}
# What both streams have in common, since one network is built of them.
_SHARED = ("resnet_size", "num_filters", "embedding_dim", "num_classes")


@dataclasses.dataclass(frozen=True)
class StreamPair:
    """What an evaluated network was put together of, as its results say it.

    Attributes:
      single_from: folder of the static stream's run, as it was given.
      single_step: of its checkpoint.
      single_loss: that it was trained by, `none` before the first step.
      dynamic_from: folder of the dynamic stream's run.
      dynamic_step: of its checkpoint.
      dynamic_loss: that it was trained by.
      static_frames: `one` or `all`, see `ModelConfig`.
    """

    single_from: str
    single_step: int
    single_loss: str
    dynamic_from: str
    dynamic_step: int
    dynamic_loss: str
    static_frames: str

    @property
    def in_words(self) -> str:
        """Both runs, for protocols."""
        frames = {"one": "the middle frame", "all": "all frames"}[self.static_frames]
        single = _in_words(self.single_from, self.single_loss, self.single_step)
        dynamic = _in_words(self.dynamic_from, self.dynamic_loss, self.dynamic_step)
        return f"two streams, {single} on {frames} of a clip and {dynamic}"


def _in_words(folder: str, loss: str, step: int) -> str:
    how = {"ir": "IR", "la": "LA", "none": "untrained"}.get(loss, loss)
    return f"{folder} ({how}, step {step:,})"


def stream_settings(
    single_from: str, dynamic_from: str, static_frames: str
) -> ModelConfig:
    """Settings of the network that two runs make together.

    Args:
      single_from: folder of a run of `single`.
      dynamic_from: folder of a run of `slow` or `slowfast`, whose clips are taken.
      static_frames: `one` or `all`, see `ModelConfig`.

    Raises:
      UserError: a folder is not that of a run, or the runs do not fit together.
    """
    single = RunDirectory(single_from).load_config()[0].model
    dynamic = RunDirectory(dynamic_from).load_config()[0].model
    if single.name != "single":
        raise UserError(
            f"--single_from={single_from} is a run of --model={single.name}; the static"
            " stream is one of --model=single."
        )
    if dynamic.name not in _FAMILIES:
        raise UserError(
            f"--dynamic_from={dynamic_from} is a run of --model={dynamic.name}; the"
            f" dynamic stream is one of --model={' or '.join(_FAMILIES)}."
        )
    for name in _SHARED:
        values = getattr(single, name), getattr(dynamic, name)
        if values[0] != values[1]:
            raise UserError(
                f"The streams have to agree in --{name}, but {single_from!r} has"
                f" {values[0]} and {dynamic_from!r} has {values[1]}."
            )
    return dataclasses.replace(
        dynamic,
        name=_FAMILIES[dynamic.name],
        embedding_dim=2 * dynamic.embedding_dim,
        static_frames=static_frames,
    )


def check_agrees(asked: ModelConfig, streams: ModelConfig) -> None:
    """Refuses settings that were asked for but are not those of the two runs.

    Args:
      asked: settings; those at their defaults ask for nothing.
      streams: of the two runs.

    Raises:
      UserError: they disagree.
    """
    defaults = ModelConfig()
    for field in dataclasses.fields(ModelConfig):
        wanted, actual = getattr(asked, field.name), getattr(streams, field.name)
        if wanted not in (getattr(defaults, field.name), actual):
            flag = "model" if field.name == "name" else field.name
            raise UserError(
                f"--{flag}={wanted}, but the runs of --single_from and --dynamic_from"
                f" make a network with --{flag}={actual}. Leave the flag out."
            )


def restore_streams(
    model: TwoStream, single_from: str, dynamic_from: str, which: str = "latest"
) -> tuple[int, int]:
    """Gives both streams the weights of checkpoints of their runs.

    Args:
      model: of `stream_settings`.
      single_from: folder of the static stream's run.
      dynamic_from: folder of the dynamic stream's run.
      which: `latest` or `best`, of each run.

    Returns:
      The steps of the checkpoints, that of the static stream first.

    Raises:
      UserError: there is no checkpoint, or it is of another network.
    """
    return (
        RunDirectory(single_from).restore_model(model.static_stream, which),
        RunDirectory(dynamic_from).restore_model(model.dynamic_stream, which),
    )
