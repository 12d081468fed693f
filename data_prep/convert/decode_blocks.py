"""Video files -> small data sets, one after the other, gone once they are used.

For those who look at every frame once, such as `embed.py`: what `convert` would have
written, block by block, so that what is computed on it is what would be computed on the
converted records.  Decoders that crash or hang cost their video, as there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from typing import Any, Iterator, Mapping, Sequence

from data_prep.config import ConversionConfig, FrameSettings
from data_prep.convert import storage, write_shards
from data_prep.convert.retry_policy import RetryPolicy
from data_prep.convert.shard_state import ShardMetadata, hash_of
from data_prep.convert.shard_tasks import ShardTask, size_and_time
from data_prep.index.folder import read_folder
from data_prep.index.found_video import FoundVideo, Row
from data_prep.index.media_tree import MediaTree
from data_prep.workers import worker_pool
from vie_tf.storage import shard_index
from vie_tf.storage.manifest import NO_LABEL, TRAIN_SPLIT, Manifest

SPLIT = TRAIN_SPLIT  # of all videos: there is but one

# A block is what a worker does at a time and what a kill loses; but whoever reads it
# pays for each some tenths of a second, and TensorFlow keeps some 0.2 MB of it.
_NUM_BLOCKS = 64
_FEWEST_VIDEOS, _MOST_VIDEOS = 8, 64


def find(path: str) -> list[FoundVideo]:
    """Finds the videos of a folder, labeled by sub-folder, or takes one file.

    Args:
      path: of the folder or the file.

    Raises:
      ValueError: there is nothing, or no video in the folder.
    """
    if os.path.isfile(path):
        name = os.path.basename(path)
        return [FoundVideo(path=os.path.abspath(path), source=name, label=None)]
    if not os.path.exists(path):
        raise ValueError(
            f"{path!r} does not exist; give a video file, a folder of videos, or the"
            " folder of a data set."
        )
    return read_folder(MediaTree(path, "videos"))


def frame_settings(of_data_set: Mapping[str, Any]) -> FrameSettings:
    """Returns how the frames of a data set were made, for video files.

    Args:
      of_data_set: `Manifest.settings`; what they do not tell is as `convert` does it.
    """
    settings = ConversionConfig("", "").frame_settings()
    names = {field.name for field in dataclasses.fields(settings)} - {"media"}
    known = {name: value for name, value in of_data_set.items() if name in names}
    return dataclasses.replace(settings, **known)


def hash_of_files(videos: Sequence[FoundVideo], settings: FrameSettings) -> str:
    """Returns a hash of everything that the blocks of these videos depend on."""
    files = [(v.source, v.label, *size_and_time(v.path)) for v in videos]
    return hash_of([dataclasses.asdict(settings), files])


def block_size(num_videos: int) -> int:
    """Videos of a block: more where there are many, while all workers have some."""
    return min(max(num_videos // _NUM_BLOCKS, _FEWEST_VIDEOS), _MOST_VIDEOS)


def decode(
    videos: Sequence[FoundVideo],
    settings: FrameSettings,
    scratch_dir: str,
    *,
    videos_per_block: int | None = None,
    first_block: int = 0,
    num_processes: int = 0,
    max_seconds: float = ConversionConfig.max_seconds,
) -> Iterator[Manifest]:
    """Yields the blocks in their order, each while its shard is in `scratch_dir`.

    Workers decode what comes next meanwhile, as many blocks ahead as there are workers.

    Args:
      videos: the id of each is its position.
      settings: of the frames.
      scratch_dir: of the shards; made, and emptied before and after.
      videos_per_block: the last may have fewer; None for `block_size`.
      first_block: those before it are left out.
      num_processes: as in `ConversionConfig`; 1 for none.
      max_seconds: as there.

    Raises:
      OSError: the disk is full, or workers die by no video's fault.
    """
    labels = sorted({video.label for video in videos if video.label is not None})
    videos_per_block = videos_per_block or block_size(len(videos))
    tasks = [
        _task(videos, start, labels, settings, scratch_dir, videos_per_block)
        for start in range(0, len(videos), videos_per_block)
    ][first_block:]
    shutil.rmtree(scratch_dir, ignore_errors=True)
    if not tasks:
        return
    storage.scratch_dir(scratch_dir)
    blame = RetryPolicy(max_seconds)

    def on_report(source: str, state: str) -> None:
        if state == write_shards.WRITTEN:
            blame.video_written()

    results = worker_pool.run_tasks(
        _decode_block,
        tasks,
        num_processes=num_processes,
        on_report=on_report,
        on_death=blame.task_after,
        time_limit_secs=max_seconds,
    )
    ready: dict[str, ShardMetadata] = {}
    try:
        with contextlib.closing(results):
            for task in tasks:
                while task.name not in ready:
                    name, facts = next(results)
                    ready[name] = facts
                yield _manifest(ready.pop(task.name), labels, settings)
                shard = os.path.join(scratch_dir, task.name)
                for path in (shard, shard_index.index_path(shard)):
                    storage.remove(path)
    finally:
        shutil.rmtree(scratch_dir, ignore_errors=True)


def _task(
    videos: Sequence[FoundVideo],
    start: int,
    labels: Sequence[str],
    settings: FrameSettings,
    scratch_dir: str,
    videos_per_block: int,
) -> ShardTask:
    chosen = videos[start : start + videos_per_block]
    rows = tuple(
        Row(video.path, video.source, video.label, number, SPLIT)
        for number, video in enumerate(chosen, start)
    )
    return ShardTask(
        name=f"block-{start // videos_per_block:06d}.tfrecord",
        data_dir=scratch_dir,
        rows=rows,
        labels=tuple(
            NO_LABEL if row.label is None else labels.index(row.label) for row in rows
        ),
        settings=settings,
    )


def _decode_block(
    task: ShardTask, report: worker_pool.Report
) -> tuple[str, ShardMetadata]:
    return task.name, write_shards.write_shard(task, report)


def _manifest(
    facts: ShardMetadata, labels: Sequence[str], settings: FrameSettings
) -> Manifest:
    return Manifest(
        class_names=tuple(labels),
        videos=facts.videos,
        shards=() if facts.shard is None else (facts.shard,),
        refused=facts.refused,
        settings=dataclasses.asdict(settings),
    )
