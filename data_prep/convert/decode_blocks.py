"""Decodes video files into small temporary data sets, block by block.

For programs that read frames once, such as `embed.py`.  The records equal those of
`convert`, but for frames that the program does not read, and a video that crashes or
blocks its decoder is refused as there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from typing import Any, Generator, Iterator, Mapping, Sequence

from data_prep.config import BlockSettings, ConversionConfig, FrameSettings
from data_prep.convert import data_folder, notes
from data_prep.convert.shard_state import ShardMetadata, hash_of
from data_prep.convert.shard_task import ShardTask, label_id, size_and_time
from data_prep.convert.write_shard import WRITTEN, write_shard
from data_prep.index import file_content, left_out
from data_prep.index.folder import read_folder
from data_prep.index.labels import with_one_spelling
from data_prep.index.media_tree import PICTURE_EXTENSIONS, MediaTree
from data_prep.index.video_row import FoundVideo, VideoRow
from data_prep.workers import worker_pool
from data_prep.workers.retry_policy import RetryPolicy
from vie_tf.config.setting import settings_of
from vie_tf.storage import shard_index
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import remove, sha256_of
from vie_tf.storage.frame_spool import FramesRead
from vie_tf.storage.manifest import TRAIN_SPLIT, Manifest

SPLIT = TRAIN_SPLIT  # of all videos

# A worker decodes a block at a time, and a kill loses it; but each block costs the
# reader some tenths of a second, and TensorFlow keeps some 0.2 MB of it.
_NUM_BLOCKS = 64
_FEWEST_VIDEOS, _MOST_VIDEOS = 8, 64
# Of a file.  An hour of 1 GB has three hours; a busy core takes a third of that.
_SLOWEST_BYTES_PER_SECOND = 1e5


def media_of(path: str, media_of_data: str = "videos") -> str:
    """Chooses what a path holds, one of `data_prep.config.MEDIA`.

    Args:
      path: file or folder; a file is a picture or a video by its first bytes.
      media_of_data: what the data set holds that the frames should be like; a folder
        holds the same, but pictures if there are pictures alone instead of videos.

    Raises:
      UserError: there is no such file or folder, or nothing of the kind in it.
    """
    if os.path.isfile(path):
        is_picture = file_content.holds("images", path) or path.lower().endswith(
            tuple(PICTURE_EXTENSIONS)
        )
        return "images" if is_picture and not _is_video(path) else "videos"
    if not os.path.exists(path):
        raise UserError(
            f"{path!r} does not exist; give a video or picture file, a folder of them,"
            " or the folder of a data set."
        )
    for media in (media_of_data, "videos", "images"):
        if MediaTree(path, media).sources:
            return media
    raise UserError(f"There is no video and no picture in the folder {path!r}.")


def _is_video(path: str) -> bool:
    return file_content.holds("videos", path)


def find(path: str, media: str = "videos") -> list[FoundVideo]:
    """Finds the videos of a folder, labeled by sub-folder, or takes one file.

    Prints how many files of the folder are left out, as they are no videos.

    Args:
      path: file or folder.
      media: result of `media_of`.  A folder that holds frames itself is one video.

    Raises:
      UserError: the folder has no order of classes that can be used.
    """
    alone = FoundVideo(os.path.abspath(path), os.path.basename(path.rstrip("/")), None)
    if os.path.isfile(path):
        return [alone]
    tree = MediaTree(path, media)
    if media == "frames" and "" in tree:
        return [alone]
    videos = with_one_spelling(read_folder(tree))
    if tree.left_out:
        print(left_out.summary(tree.left_out, tree.media), flush=True)
    return videos


def frame_settings(settings_of_data: Mapping[str, Any]) -> FrameSettings:
    """Returns the settings of frames in `Manifest.settings`, with defaults.

    Raises:
      UserError: one of them is not allowed.
    """
    settings = ConversionConfig("", "").frame_settings()
    names = {field.name for field in dataclasses.fields(settings)} - {"media"}
    declared = settings_of(ConversionConfig)
    try:
        known = {
            name: declared[name].from_json(value) if name in declared else value
            for name, value in settings_of_data.items()
            if name in names
        }
    except (TypeError, ValueError) as error:
        raise UserError(
            f"The settings of the frames are damaged ({error}): give --frames_like=DATA"
            " of a data set that was converted in the same way."
        ) from error
    return dataclasses.replace(settings, **known)


def hash_of_files(videos: Sequence[FoundVideo], settings: FrameSettings) -> str:
    """Returns a hash of everything that the blocks of some videos depend on."""
    files = [(v.source, v.label, *size_and_time(v.path)) for v in videos]
    return hash_of([dataclasses.asdict(settings), files])


def stamps(videos: Sequence[FoundVideo], settings: FrameSettings) -> list[str]:
    """Returns what changes with the frames of each video; the file's size comes first.

    Unlike `contents`, it reads no file.
    """
    of_settings = hash_of(dataclasses.asdict(settings))[:16]
    return [
        f"{size} {time} {of_settings}"
        for size, time in (size_and_time(video.path) for video in videos)
    ]


def contents(videos: Sequence[FoundVideo], settings: FrameSettings) -> list[str]:
    """Returns hashes of what the frames of each video depend on.

    A moved file has the same.  It is empty where a file cannot be read.
    """
    of_settings = dataclasses.asdict(settings)
    hashes = []
    for video in videos:
        try:
            segment = [video.start_secs, video.end_secs]
            digest = hash_of([of_settings, segment, sha256_of(video.path)])
        except UserError:
            digest = ""
        hashes.append(digest)
    return hashes


def time_limit(videos: Sequence[FoundVideo]) -> float:
    """Returns the seconds after which a decoder hangs: more for hours of video."""
    largest = max((size_and_time(video.path)[0] for video in videos), default=0)
    return max(ConversionConfig.max_seconds, largest / _SLOWEST_BYTES_PER_SECOND)


def block_size(num_videos: int) -> int:
    """Returns the number of videos in a block: the more videos, the larger."""
    return min(max(num_videos // _NUM_BLOCKS, _FEWEST_VIDEOS), _MOST_VIDEOS)


def decode(
    videos: Sequence[FoundVideo],
    settings: FrameSettings,
    scratch_dir: str,
    *,
    videos_per_block: int | None = None,
    num_processes: int = 0,
    max_seconds: float = ConversionConfig.max_seconds,
    max_megapixels: float = ConversionConfig.max_megapixels,
    frames_read: FramesRead | None = None,
) -> Iterator[Manifest]:
    """Yields the manifests of the blocks in order.

    The shard of a block exists in `scratch_dir` until the next block is requested.
    Each worker decodes one block ahead.

    Args:
      videos: videos; the id of each is its position.
      settings: settings of the frames.
      scratch_dir: folder of the shards; made, and emptied before and after.
      videos_per_block: number of videos in a block, None for `block_size`.
      num_processes: number of workers, as in `ConversionConfig`; 1 for none.
      max_seconds: time limit of a video, as in `ConversionConfig`.
      max_megapixels: largest picture that is decoded, in millions of pixels.
      frames_read: maps the number of frames of a video to those that the caller will
        read; the others may be empty strings in the records.  None for all.

    Raises:
      UserError: the disk is full, or workers die for other reasons than a video.
    """
    labels = sorted({video.label for video in videos if video.label is not None})
    videos_per_block = videos_per_block or block_size(len(videos))
    tasks = [
        dataclasses.replace(
            _task(videos, start, labels, settings, scratch_dir, videos_per_block),
            max_megapixels=max_megapixels,
            frames_read=frames_read,
        )
        for start in range(0, len(videos), videos_per_block)
    ]
    shutil.rmtree(scratch_dir, ignore_errors=True)
    if not tasks:
        return
    data_folder.scratch_dir(scratch_dir)
    noted: list[tuple[str, str]] = []
    results = _run(tasks, num_processes, max_seconds)
    try:
        with contextlib.closing(results), data_folder.user_errors(scratch_dir):
            for task, shard in _in_order(tasks, results):
                noted.extend(shard.notes)
                yield _manifest(shard, labels, settings)
                path = os.path.join(scratch_dir, task.name)
                remove(path)
                remove(shard_index.index_path(path))
        for line in notes.summary(noted):
            print(line)
    finally:
        shutil.rmtree(scratch_dir, ignore_errors=True)


def _run(
    tasks: Sequence[ShardTask], num_processes: int, max_seconds: float
) -> Generator[tuple[str, ShardMetadata], None, None]:
    """Yields decoded blocks with their positions, as they are finished."""
    retry_policy = RetryPolicy(max_seconds)

    def on_report(source: str, state: str) -> None:
        if state == WRITTEN:
            retry_policy.item_done()

    return worker_pool.run_tasks(
        _decode_block,
        tasks,
        num_processes=num_processes,
        on_report=on_report,
        on_death=retry_policy.next_task,
        time_limit_secs=max_seconds,
    )


def _task(
    videos: Sequence[FoundVideo],
    start: int,
    labels: Sequence[str],
    settings: FrameSettings,
    scratch_dir: str,
    videos_per_block: int,
) -> ShardTask:
    label_ids = {label: number for number, label in enumerate(labels)}
    rows = tuple(
        VideoRow(video.path, video.source, video.label, SPLIT, id=number)
        for number, video in enumerate(videos[start : start + videos_per_block], start)
    )
    return ShardTask(
        name=f"block-{start // videos_per_block:06d}.tfrecord",
        data_dir=scratch_dir,
        rows=rows,
        labels=tuple(label_id(row.label, label_ids) for row in rows),
        settings=BlockSettings(**dataclasses.asdict(settings)),
    )


def _in_order(
    tasks: Sequence[ShardTask], results: Iterator[tuple[str, ShardMetadata]]
) -> Iterator[tuple[ShardTask, ShardMetadata]]:
    """Yields the tasks in order with their results, which come in any order."""
    ready: dict[str, ShardMetadata] = {}
    for task in tasks:
        while task.name not in ready:
            name, shard = next(results)
            ready[name] = shard
        yield task, ready.pop(task.name)


def _decode_block(
    task: ShardTask, report: worker_pool.Report
) -> tuple[str, ShardMetadata]:
    return task.name, write_shard(task, report)


def _manifest(
    shard: ShardMetadata, labels: Sequence[str], settings: FrameSettings
) -> Manifest:
    return Manifest(
        class_names=tuple(labels),
        videos=shard.videos,
        shards=() if shard.shard is None else (shard.shard,),
        refused=shard.refused,
        settings=dataclasses.asdict(settings),
    )
