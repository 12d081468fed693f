"""Settings of the commands of data_prep, each declared once."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from vie_tf.config.setting import like, setting

# What stands for one video: a file, a folder of numbered pictures, or one picture.
MEDIA = ("videos", "frames", "images")
LIST_FORMATS = ("auto", "csv", "kinetics", "ucf101", "hmdb51")
RUNNERS = ("local", "beam")
WORLDS = ("motions", "people", "objects")


@dataclasses.dataclass(frozen=True)
class FrameSettings:
    """The settings that decide what is in a record; see `ConversionConfig`."""

    fps: float
    shortest_side: int
    jpeg_quality: int
    min_frames: int
    enlarge: bool = False
    max_missing_share: float = 0.5
    media: str = "videos"

    # Not a setting: a record is one protocol buffer, which cannot exceed 2 GiB.
    max_record_bytes: ClassVar[int] = 2**30


@dataclasses.dataclass(frozen=True)
class BlockSettings(FrameSettings):
    """Settings of records whose frames are read by their places, one by one."""

    max_record_bytes: ClassVar[int] = 2**60


_WORKERS = "Worker processes; 0: one for each core, 1: no workers."


@dataclasses.dataclass(frozen=True)
class DecodingConfig:
    """Limits of decoding, which do not change what is in a record."""

    max_megapixels: float = setting(
        120.0,
        "Largest picture that is decoded, in millions of pixels; a file may claim any"
        " size. A million takes some 5 MB of memory in each process.",
        above=0,
    )


@dataclasses.dataclass(frozen=True)
class ConversionConfig:
    """How a folder of videos becomes a data set."""

    videos: str = setting(
        dataclasses.MISSING,
        "Folder of videos. Without a --list its sub-folders are the classes, and videos"
        " directly in it have no labels.",
        path=True,
    )
    output_dir: str = setting(
        dataclasses.MISSING,
        "Folder for the shards and manifest.json, outside of --videos; s3://, gs:// and"
        " hdfs:// too.",
        path=True,
    )
    list_path: str = setting(
        "",
        "Which of --videos to take: a csv file (columns video, label, split, start,"
        " end; all but the first optional), the annotation csv of Kinetics, or the"
        " folder of the split files of UCF101 or HMDB51.",
        flag="list",
        otherwise="all videos",
        path=True,
    )
    list_format: str = setting("auto", "Format of the --list.", choices=LIST_FORMATS)
    max_missing_rows: float = setting(
        0.5,
        "Convert nothing if a larger fraction of the videos of the --list is not in"
        " --videos.",
        lower=0,
        upper=1,
    )
    fold: int = setting(1, "Official split of UCF101 or HMDB51.", lower=1, upper=3)
    media: str = setting(
        "videos",
        "What a video is. videos: a video file. frames: a folder of numbered pictures"
        " at --fps. images: one picture.",
        choices=MEDIA,
    )
    append: bool = setting(
        False,
        "Add the videos that are not in --output_dir yet; ids, rows and shards that are"
        " there stay.",
    )
    strict: bool = setting(
        False, "Fail (exit code 1) if any video was rejected, after all is written."
    )
    val_fraction: float = setting(
        0.2,
        "Fraction of each class that goes to the val split. Splits of a --list take"
        " precedence.",
        lower=0,
        below=1,
    )
    # This and the next: section 4 of the paper.
    fps: float = setting(25.0, "Frames per second to store.", above=0, upper=240)
    shortest_side: int = setting(
        320,
        "Shortest side of the stored frames in pixels; smaller videos are not enlarged"
        " without --enlarge.",
        lower=16,
    )
    enlarge: bool = setting(False, "Enlarge smaller videos to --shortest_side.")
    jpeg_quality: int = setting(
        90, "JPEG quality of the stored frames.", lower=1, upper=100
    )
    # One frame is a picture: nothing moves in it.
    min_frames: int = setting(
        2,
        "Reject videos that give fewer frames (at --fps); an image has one frame"
        " whatever is asked.",
        lower=1,
    )
    max_missing_share: float = setting(
        0.5,
        "Reject a video as truncated if a larger fraction of the frames that its"
        " container credibly promises cannot be decoded.",
        above=0,
        upper=1,
    )
    max_seconds: float = setting(
        600.0,
        "Time limit for decoding one video, in seconds, after which it is rejected. 0:"
        " none. Without workers (--num_processes=1) there is none.",
        lower=0,
    )
    max_megapixels: float = like(DecodingConfig, "max_megapixels")
    videos_per_shard: int = setting(
        16, "Maximum number of videos in one TFRecord file.", lower=1
    )
    num_processes: int = setting(0, _WORKERS, lower=0)
    runner: str = setting(
        "local",
        "local: processes of this machine. beam: an Apache Beam runner.",
        choices=RUNNERS,
    )
    beam_options: tuple[str, ...] = setting(
        (),
        "An option of the Beam runner as in Beam's documentation; one flag for each, as"
        " in --beam_option=--runner=FlinkRunner --beam_option=--parallelism=8.",
        flag="beam_option",
        repeated=True,
    )
    seed: int = setting(0, "Seed of the split and of the order of the videos.")

    def frame_settings(self) -> FrameSettings:
        """Returns what decides the contents of a record."""
        names = [field.name for field in dataclasses.fields(FrameSettings)]
        return FrameSettings(**{name: getattr(self, name) for name in names})


@dataclasses.dataclass(frozen=True)
class SynthesisConfig:
    """Which videos or pictures `data_prep.synthesize` makes."""

    output_dir: str = setting(
        dataclasses.MISSING,
        "Folder for the videos, with one sub-folder for each class.",
        path=True,
    )
    world: str = setting(
        "motions",
        "motions: moving textures. people: persons with real motion captures. objects:"
        " pictures of things. The last two need the extra [world].",
        choices=WORLDS,
    )
    num_videos: int = setting(
        600,
        "Videos (or pictures) over all classes, which get equally many, or one more.",
        lower=1,
    )
    num_classes: int = setting(
        0, "Number of classes; 0: 8 motions, 15 actions, or 64 objects.", lower=0
    )
    size: int = setting(
        96,
        "Shortest side in pixels; frames are 4:3.",
        lower=32,
        check=(lambda size: size % 2 == 0, "an even one"),
    )
    seconds: float = setting(4.0, "Length of a video in seconds.", lower=0.1)
    scenes: int = setting(
        4,
        "With --world=motions, the texture changes every --seconds / --scenes seconds.",
        lower=1,
        only_if=("world", "motions"),
    )
    num_processes: int = setting(0, _WORKERS, lower=0)
    seed: int = setting(0, "Same seed, same videos.", lower=0)


@dataclasses.dataclass(frozen=True)
class DescriptionConfig:
    """What `data_prep.describe` looks at."""

    data_dir: str = setting(
        dataclasses.MISSING,
        "Folder with shards and manifest.json, from data_prep.convert.",
        path=True,
    )
    output_dir: str = setting(
        "", "Folder for the two pictures.", otherwise="--data_dir", path=True
    )
    verify: bool = setting(
        False,
        "Compare all checksums, decode every frame, and look for videos that are the"
        " same, black or still.",
    )
    num_shown: int = setting(48, "Videos on the contact sheet; 0: no sheet.", lower=0)
    num_processes: int = setting(
        0, "Worker processes of --verify; 0: one for each core, 1: no workers.", lower=0
    )


def _is_url_template(text: str) -> bool:
    return "{id}" in text and text.startswith(("http://", "https://"))


@dataclasses.dataclass(frozen=True)
class KineticsConfig:
    """Which segments of Kinetics are downloaded, and how."""

    csv_path: str = setting(
        dataclasses.MISSING,
        "Annotation file as published: youtube_id, time_start, time_end, and label and"
        " split where it has them.",
        flag="csv",
        path=True,
    )
    output_dir: str = setting(
        dataclasses.MISSING,
        "Folder for the clips, one sub-folder per label, and for gone.csv.",
        path=True,
    )
    split: str = setting("", "Only this split of the csv.", otherwise="all")
    limit: int = setting(
        0, "Only the first so many rows (of the --split); 0: all.", lower=0
    )
    # As usual for Kinetics; leaves room above 320.
    shortest_side: int = setting(
        340,
        "Shortest side of the clips in pixels; smaller videos are not enlarged.",
        lower=16,
    )
    num_parallel: int = setting(4, "Downloads at the same time.", lower=1)
    num_tries: int = setting(
        3, "Number of tries for a video whose error may be temporary.", lower=1
    )
    retry_secs: float = setting(
        10.0,
        "Wait before the second try in seconds, doubled before each further one.",
        lower=0,
    )
    url_template: str = setting(
        "https://www.youtube.com/watch?v={id}",
        "Address of a video, with {id} in place of its id.",
        check=(_is_url_template, "that starts with http:// or https:// and has {id}"),
    )
    yt_dlp: str = setting(
        "yt-dlp", "The program yt-dlp: its name or its path.", path=True
    )
    yt_dlp_options: tuple[str, ...] = setting(
        (),
        "One more argument for yt-dlp, such as --yt_dlp_option=--cookies=FILE; one flag"
        " for each. Its own configuration files are not read.",
        flag="yt_dlp_option",
        repeated=True,
    )
    ffmpeg: str = setting(
        "ffmpeg", "The program ffmpeg: its name or its path.", path=True
    )
