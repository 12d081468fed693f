"""Configuration of the commands of data_prep; a default is written here once."""

from __future__ import annotations

import dataclasses

# What stands for one video: a file, a folder of numbered pictures, or one picture.
MEDIA = ("videos", "frames", "images")
LIST_FORMATS = ("auto", "csv", "kinetics", "ucf101", "hmdb51")
RUNNERS = ("local", "beam")


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


@dataclasses.dataclass(frozen=True)
class ConversionConfig:
    """How a folder of videos becomes a data set.

    Attributes:
      videos: folder of videos; without a list, its first-level sub-folders are the
        classes.
      output_dir: folder of the shards and the manifest, made if it is missing; local,
        or of a store that `tf.io.gfile` knows (s3://, gs://, hdfs://).
      list_path: csv file, or folder of the official split files, that says which
        videos of `videos` are taken, with which label and split; empty for all.
      list_format: one of `LIST_FORMATS`; `auto` looks at the list.
      fold: which of the three official splits of UCF101 and HMDB51.
      media: one of `MEDIA`.
      append: whether new videos are added to a data set that is complete; ids, rows
        and shards that are there stay as they are.
      strict: whether a refused video makes the command fail (after all is written).
      val_fraction: share of each class that goes to the `val` split, in [0, 1); where
        a list gives splits, they hold.
      fps: frames per second of the records.
      shortest_side: of the stored frames, in pixels; smaller ones stay as they are
        unless `enlarge`.
      enlarge: whether smaller frames are enlarged to `shortest_side`.
      jpeg_quality: of the stored frames, 1 to 100.
      min_frames: a video that gives fewer frames at `fps` is refused; an image has one
        frame whatever is asked.
      max_missing_share: a video is refused as truncated if more than this share of
        what its container credibly promises does not decode, in (0, 1].
      max_seconds: a video that takes longer to decode is refused, and its worker
        ended; 0 for no limit.  Needs workers, see `num_processes`.
      videos_per_shard: most videos in one TFRecord file.
      num_processes: worker processes; 0 means one for each core, 1 means none
        (everything happens in the calling process).
      runner: `local` or `beam`.
      beam_options: of the Beam pipeline and its runner, each as on Beam's own command
        lines.
      seed: of the split and of the order of the ids.
    """

    videos: str
    output_dir: str
    list_path: str = ""
    list_format: str = "auto"
    fold: int = 1
    media: str = "videos"
    append: bool = False
    strict: bool = False
    val_fraction: float = 0.2
    fps: float = 25.0  # This and the next: section 4 of the paper.
    shortest_side: int = 320
    enlarge: bool = False
    jpeg_quality: int = 90
    min_frames: int = 2  # One frame is a picture: nothing moves in it.
    max_missing_share: float = 0.5
    max_seconds: float = 600.0
    videos_per_shard: int = 16
    num_processes: int = 0
    runner: str = "local"
    beam_options: tuple[str, ...] = ()
    seed: int = 0

    def frame_settings(self) -> FrameSettings:
        """Returns what decides the contents of a record."""
        names = [field.name for field in dataclasses.fields(FrameSettings)]
        return FrameSettings(**{name: getattr(self, name) for name in names})


@dataclasses.dataclass(frozen=True)
class SynthesisConfig:
    """Which videos `data_prep.synthesize` makes.

    Attributes:
      output_dir: folder that receives one sub-folder per class.
      num_videos: over all classes, which get equally many (or one more).
      num_classes: the first so many rows of `data_prep.synthesize.motions.MOTIONS`.
      size: shortest side in pixels; frames are 4:3.
      seconds: length of a video.
      scenes: a video changes its texture every `seconds / scenes` seconds.
      num_processes: as in `ConversionConfig`.
      seed: same seed, same videos.
    """

    output_dir: str
    num_videos: int = 600
    num_classes: int = 8
    size: int = 96
    seconds: float = 4.0
    scenes: int = 4
    num_processes: int = 0
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class DescriptionConfig:
    """What `data_prep.describe` looks at.

    Attributes:
      data_dir: folder of a data set, local or of a store that `tf.io.gfile` knows.
      output_dir: folder of the two pictures; empty for `data_dir`.
      verify: whether all checksums are compared and all frames decoded.
      num_shown: videos on the contact sheet, 0 for no sheet.
      num_processes: of the verification, as in `ConversionConfig`.
    """

    data_dir: str
    output_dir: str = ""
    verify: bool = False
    num_shown: int = 48
    num_processes: int = 0


@dataclasses.dataclass(frozen=True)
class KineticsConfig:
    """Which segments of Kinetics are downloaded, and how.

    Attributes:
      csv_path: annotation file: youtube_id, time_start, time_end, and label and split
        where it has them.
      output_dir: folder that receives one sub-folder per label.
      split: only the rows of this split; empty for all.
      limit: only the first so many of them; 0 for all.
      shortest_side: of the clips, in pixels; smaller videos are not enlarged.
      num_parallel: downloads at the same time.
      num_tries: how often a video is tried whose error may pass.
      retry_secs: wait before the second try, doubled before each further one.
      url_template: where a video is, with `{id}` for its id.
      yt_dlp: program that downloads.
      yt_dlp_options: more arguments for it.
      ffmpeg: program that cuts.
    """

    csv_path: str
    output_dir: str
    split: str = ""
    limit: int = 0
    shortest_side: int = 340  # As usual for Kinetics; leaves room above 320.
    num_parallel: int = 4
    num_tries: int = 3
    retry_secs: float = 10.0
    url_template: str = "https://www.youtube.com/watch?v={id}"
    yt_dlp: str = "yt-dlp"
    yt_dlp_options: tuple[str, ...] = ()
    ffmpeg: str = "ffmpeg"
