"""Makes a two-stream network of two runs (paper, section 4: VIE-TwoStream).

`two_stream_s` and `two_stream_sf` concatenate the outputs of a run of `single` and of a
run of `slow` or `slowfast`.
"""

from __future__ import annotations

import dataclasses

from vie_tf.config import ModelConfig, settings_of
from vie_tf.models.clip_input import PAIRED_INPUTS
from vie_tf.models.two_stream import TwoStream
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.errors import UserError

# Family of the dynamic stream -> the two-stream family.
FAMILIES = {"slow": "two_stream_s", "slowfast": "two_stream_sf"}
# Settings that both streams share, since they become one network.
_SHARED = ("resnet_size", "num_filters", "embedding_dim", "num_classes")


@dataclasses.dataclass(frozen=True)
class StreamPair:
    """The two runs that an evaluated network was built from, as its results name them.

    Attributes:
      single_from: folder of the static stream's run, as it was given.
      single_step: step of its checkpoint.
      single_loss: loss that trained it, `none` before the first step.
      dynamic_from: folder of the dynamic stream's run.
      dynamic_step: step of its checkpoint.
      dynamic_loss: loss that trained it.
      static_frames: `one` or `all`, see `ModelConfig`.
    """

    single_from: str
    single_step: int
    single_loss: str
    dynamic_from: str
    dynamic_step: int
    dynamic_loss: str
    static_frames: str

    def describe(self) -> str:
        """Names both runs, for protocols."""
        frames = {"one": "the middle frame", "all": "all frames"}[self.static_frames]
        single = _describe(self.single_from, self.single_loss, self.single_step)
        dynamic = _describe(self.dynamic_from, self.dynamic_loss, self.dynamic_step)
        return f"two streams, {single} on {frames} of a clip and {dynamic}"


def _describe(folder: str, loss: str, step: int) -> str:
    how = {"ir": "IR", "la": "LA", "none": "untrained"}.get(loss, loss)
    return f"{folder} ({how}, step {step:,})"


def stream_settings(
    single_from: str, dynamic_from: str, static_frames: str
) -> ModelConfig:
    """Returns the settings of the network that two runs make together.

    Args:
      single_from: folder of a run of `single`.
      dynamic_from: folder of a run of `slow` or `slowfast`, whose clips are used.
      static_frames: `one` or `all`, see `ModelConfig`.

    Raises:
      UserError: a folder does not hold a run, or the runs do not fit together.
    """
    single = RunDirectory(single_from).load_config()[0].model
    dynamic = RunDirectory(dynamic_from).load_config()[0].model
    if single.name != "single":
        raise UserError(
            f"--single_from={single_from} is a run of --model={single.name}. Give a run"
            " of --model=single, which the static stream is."
        )
    if dynamic.name not in FAMILIES:
        raise UserError(
            f"--dynamic_from={dynamic_from} is a run of --model={dynamic.name}. Give a"
            f" run of --model={' or '.join(FAMILIES)}, which the dynamic stream is."
        )
    for name in _SHARED:
        values = getattr(single, name), getattr(dynamic, name)
        if values[0] != values[1]:
            raise UserError(
                f"Both streams need the same --{name}, but {single_from!r} has"
                f" {values[0]} and {dynamic_from!r} has {values[1]}. Give other runs."
            )
    return dataclasses.replace(
        dynamic,
        input=_input_of_streams(single_from, single, dynamic_from, dynamic),
        name=FAMILIES[dynamic.name],
        embedding_dim=2 * dynamic.embedding_dim,
        static_frames=static_frames,
    )


def _input_of_streams(
    single_from: str, single: ModelConfig, dynamic_from: str, dynamic: ModelConfig
) -> str:
    """Returns the input of both streams together.

    Raises:
      UserError: a run sees what its stream is not given.
    """
    if single.input == dynamic.input and single.input not in PAIRED_INPUTS:
        return single.input
    if (single.input, dynamic.input) == ("frames", "differences"):
        return "both"
    raise UserError(
        f"The streams are of --input={single.input} ({single_from!r}) and"
        f" --input={dynamic.input} ({dynamic_from!r}). Give runs of the same one,"
        " frames or differences, or a static stream of frames and a dynamic one of"
        " differences."
    )


def check_agrees(asked: ModelConfig, streams: ModelConfig) -> None:
    """Checks that settings are those of the two runs, or at their defaults.

    Args:
      asked: settings that were asked for.
      streams: settings of the network that the two runs make.

    Raises:
      UserError: they disagree.
    """
    for name, setting in settings_of(ModelConfig).items():
        wanted, actual = getattr(asked, name), getattr(streams, name)
        if wanted not in (setting.default, actual):
            raise UserError(
                f"{setting.label}={wanted}, but the runs of --single_from and"
                f" --dynamic_from make a network with {setting.label}={actual}. Leave"
                " the flag out."
            )


def restore_streams(
    model: TwoStream, single_from: str, dynamic_from: str, which: str = "latest"
) -> tuple[int, int]:
    """Restores the weights of both streams.

    Args:
      model: network with the settings of `stream_settings`.
      single_from: folder of the static stream's run.
      dynamic_from: folder of the dynamic stream's run.
      which: `latest` or `best` checkpoint of each run.

    Returns:
      The steps of the checkpoints, that of the static stream first.

    Raises:
      UserError: there is no checkpoint, or it belongs to another network.
    """
    return (
        RunDirectory(single_from).checkpoint(which).restore_model(model.static_stream),
        RunDirectory(dynamic_from)
        .checkpoint(which)
        .restore_model(model.dynamic_stream),
    )
