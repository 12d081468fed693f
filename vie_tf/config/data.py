"""Settings of the data: which records are read, and how."""

from __future__ import annotations

import dataclasses

from vie_tf.config.setting import Role, setting

# Current names of crops by those of earlier versions.
OLD_CROPS = {
    "random_resize": "random_short_side_crop",
    "multi_scale": "multi_scale_crop",
    "random_area": "random_resized_crop",
}
_TRAINED = ("linear", "finetune")  # tasks of evaluate.py that train on clips


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """The data set and the clips that training takes from it."""

    data_dir: str = setting(
        dataclasses.MISSING,
        "Folder with shards and manifest.json, from data_prep.convert.",
        role=Role.PLACE,
        hparam=True,
    )
    crop: str = setting(
        "random_short_side_crop",
        "Crop of training clips. random_short_side_crop: the paper's, shortest side"
        " resized to 256 .. 320 and a random 224 crop. multi_scale_crop: 5 sizes in 5"
        " places (fine-tuning). random_resized_crop: a random area and aspect ratio, as"
        " for images. random_squeezed_crop: 82% of height and width squeezed into a"
        " square, as 3DRotNet. whole_frame: 70% to 100% of them, tested on the whole"
        " frame, where what happens is not in the middle.",
        choices=(
            "random_short_side_crop",
            "multi_scale_crop",
            "random_resized_crop",
            "random_squeezed_crop",
            "whole_frame",
        ),
        tasks=(*_TRAINED, "all"),
        old_values=OLD_CROPS,
    )
    min_crop_area: float = setting(
        0.08,
        "Least area of --crop=random_resized_crop, as a fraction of the frame. The"
        " authors' linear probes on ImageNet have 0.2.",
        above=0,
        upper=1,
        only_if=("crop", "random_resized_crop"),
        tasks=(*_TRAINED, "all"),
    )
    color: str = setting(
        "exact",
        "Color jitter of training clips (brightness, contrast, saturation, hue, gray)."
        " exact: the authors'. fast: nearly the same in one pass over the pixels.",
        choices=("exact", "fast", "none"),
        tasks=(*_TRAINED, "all"),
    )
    gray_probability: float = setting(
        0.3,
        "Probability that the color jitter turns a clip gray. The authors' linear"
        " probes on ImageNet have 0.2.",
        lower=0,
        upper=1,
        tasks=(*_TRAINED, "all"),
    )
    gray_first: bool = setting(
        False,
        "Turn clips gray before the rest of the color jitter and not after it, as the"
        " authors' linear probes on ImageNet do.",
        tasks=(*_TRAINED, "all"),
    )
    frame_jitter: int | None = setting(
        None,
        "Pixels by which the crop of each frame is moved, up to so many in each"
        " direction; above 0 each frame also has a color jitter of its own. 0: all"
        " frames of a clip are augmented alike.",
        lower=0,
        upper=32,
        otherwise="5 with --loss=order, else 0",
    )
    motion_windows: int | None = setting(
        None,
        "Windows of a video that are looked at for each clip, of which one is drawn in"
        " proportion to its motion (optical flow). 1: one is drawn evenly. Only with"
        " --loss=order.",
        lower=1,
        upper=64,
        otherwise="4 with --loss=order, else 1",
    )
    subset: float = setting(
        1.0,
        "Fraction of the training videos to train on (table 3: 0.7 and 0.3).",
        role=Role.FIXED,
        above=0,
        upper=1,
        tasks=_TRAINED,
    )
    subset_seed: int = setting(
        0,
        "Seed of the random --subset. With one seed a smaller subset is contained in a"
        " larger one.",
        role=Role.FIXED,
        tasks=_TRAINED,
    )
    bin_frames: int = setting(
        0,
        "Cut videos into bins of so many frames (at the frame rate of the records),"
        " each an instance of its own (table 3: 52 for 5bin, 130 for 2bin). 0: whole"
        " videos.",
        role=Role.FIXED,
        lower=0,
        tasks=_TRAINED,
    )
    static_video: bool = setting(
        False,
        "Repeat one frame of the video over the whole clip, to show images to networks"
        " of several frames.",
    )
    on_bad_record: str = setting(
        "fail",
        "What to do about a video that cannot be read from its shard. fail: stop and"
        " name it. skip: leave it out and count it (input/skipped_clips in"
        " TensorBoard).",
        role=Role.EXECUTION,
        choices=("fail", "skip"),
    )
    cache_dir: str | None = setting(
        None,
        "Local folder for copies of the shards, made during the first epoch;"
        " /dev/shm/NAME is memory. For data in an object store or on a slow disk.",
        role=Role.PLACE,
    )
    data_service: str | None = setting(
        None,
        "Address grpc://HOST:PORT of a tf.data service whose workers make the training"
        " batches (python -m vie_tf input_service). Needs --nodeterministic.",
        role=Role.FREE,
    )
    deterministic: bool = setting(
        True,
        "Keep the order of the batches, so that a run can be repeated exactly.",
        role=Role.EXECUTION,
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "crop", OLD_CROPS.get(self.crop, self.crop))
