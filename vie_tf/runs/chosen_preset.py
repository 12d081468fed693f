"""The preset of a run: chosen for its videos, or as the run began with it."""

from __future__ import annotations

from typing import Any, Callable, Mapping

from vie_tf.config import DataConfig, Preset, presets
from vie_tf.runs.run_directory import RunDirectory
from vie_tf.storage.manifest import TRAIN_SPLIT, Manifest


def choose(
    name: str,
    data: DataConfig,
    model_dir: str,
    given: Mapping[str, Any],
    shown: Callable[[str, Any], str],
) -> Preset:
    """Chooses the values of a preset, and prints them with their reasons.

    A run that began with this preset keeps its values.

    Args:
      name: a key of `presets.PRESETS`.
      data: data of the run.
      model_dir: folder of the run, which need not exist.
      given: flags that were given, by name; their values are not in the preset.
      shown: turns the name of a flag and a value into what a command line has.

    Raises:
      UserError: there is no data set, or the folder has the settings of another one.
    """
    videos = Manifest.load(data.data_dir).split(TRAIN_SPLIT)
    if name == Preset.name or not videos:
        return Preset(name)  # the training says what is missing
    frames = sorted(video.frames for video in videos)
    collection = presets.Collection(
        num_videos=max(1, round(data.subset * len(videos))),
        num_frames=frames[len(frames) // 2],
        fps=videos[0].fps,
    )
    choices = presets.PRESETS[name](collection, given)
    values = {k: v for one in choices for k, v in one.values.items() if k not in given}
    run = RunDirectory(model_dir)
    if run.exists():
        begun_with = run.load_config()[0].preset
        if begun_with.name == name:
            print(f"--preset={name}: the values that this run began with.", flush=True)
            return Preset(name, {**values, **begun_with.values})
    print(presets.describe(name, collection, choices, given, shown), flush=True)
    return Preset(name, values)
