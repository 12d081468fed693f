"""Makes the plan of a conversion, from the videos and the state of the data folder.

Nothing is written here; a conversion that would destroy something is refused.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Mapping, Sequence

from data_prep.config import ConversionConfig
from data_prep.convert.data_folder import STATE_DIR
from data_prep.convert.plan import PLAN_NAME, Generation, Plan, without_paths
from data_prep.convert.shard_state import ShardMetadata, hash_of
from data_prep.convert.shard_task import size_and_time
from data_prep.index import index_videos
from data_prep.index.labels import natural_order, with_one_spelling
from data_prep.index.video_row import FoundVideo, VideoRow
from vie_tf.storage.errors import UserError
from vie_tf.storage.files import names_in
from vie_tf.storage.manifest import MANIFEST_NAME
from vie_tf.terminal.wording import counted

# Settings that may change without changing the data set: names of folder and list.
_NAMES = ("videos", "list")


def make_plan(
    videos: Sequence[FoundVideo],
    config: ConversionConfig,
    on_disk: Mapping[str, ShardMetadata],
) -> Plan:
    """Returns the plan of a conversion.

    Without `append`, a data set of one generation is planned again: its rows must be
    the same as before, and shards whose videos have changed are written again.
    Otherwise the old plan stays, and the new videos become another generation.

    Raises:
      UserError: the data set was made with other settings or from other videos.
    """
    old = Plan.load(config)
    if old is None:
        again = _with_one_more(None, _rows(with_one_spelling(videos), config), config)
        if _is_plan_of(again, on_disk, config):
            print("The plan of the conversion is made again, from its shards.")
            return again
        _check_has_plan(config.output_dir)
    videos = with_one_spelling(videos, old.class_names if old else ())
    if old is None or not any(metadata.videos for metadata in on_disk.values()):
        return _with_one_more(None, _rows(videos, config), config)
    _check_settings(old, config)
    if config.append or len(old.generations) > 1:
        new = _new_videos(old, videos, config, on_disk)
        if new and not config.append:
            raise _other_videos(_describe("new", {v.source for v in new}), config)
        _print_ignored_changes(old, videos)
        first_id = 1 + max(row.id for row in old.rows)
        plan = _with_one_more(old, _rows(new, config, first_id), config)
    else:
        plan = _with_one_more(None, _rows(videos, config), config)
        if without_paths(plan.rows) != without_paths(old.rows):
            raise _other_videos(_difference(old.rows, plan.rows), config)
        # Ids of classes stay, also of a data set that was made in another order.
        plan = dataclasses.replace(
            plan, generations=(Generation(old.class_names, plan.rows),)
        )
    if old.root != plan.root:
        found = {video.source for video in videos}
        _check_was_only_moved(old, plan, on_disk, config, found)
    return plan


def _rows(
    videos: Sequence[FoundVideo], config: ConversionConfig, first_id: int = 0
) -> tuple[VideoRow, ...]:
    return index_videos.make_rows(
        videos, val_fraction=config.val_fraction, seed=config.seed, first_id=first_id
    )


def _with_one_more(
    old: Plan | None, rows: tuple[VideoRow, ...], config: ConversionConfig
) -> Plan:
    """Returns a plan with these rows as its last (or only) generation."""
    generations = old.generations if old else ()
    if rows:
        labels = {row.label for row in rows if row.label is not None}
        known = old.class_names if old else ()
        new = natural_order(labels - set(known))
        generations += (Generation(tuple(new), rows),)
    return Plan(
        settings=_settings(config),
        # A hash of the place, not the place: the folder may be given to others.
        root=hash_of(os.path.realpath(config.videos)),
        generations=generations,
        num_closed=old.num_closed if old else 0,
    )


def _new_videos(
    old: Plan,
    videos: Sequence[FoundVideo],
    config: ConversionConfig,
    on_disk: Mapping[str, ShardMetadata],
) -> list[FoundVideo]:
    """Returns new videos, and refused videos whose files have changed."""
    refused = _refused_files(old, config, on_disk)
    known = {row.source for row in old.rows}
    return [
        video
        for video in videos
        if video.source not in known
        or refused.get(video.source, size_and_time(video.path))
        != size_and_time(video.path)
    ]


def _refused_files(
    old: Plan, config: ConversionConfig, on_disk: Mapping[str, ShardMetadata]
) -> dict[str, tuple[int, int]]:
    """Returns size and time of the refused videos of the closed generations.

    Videos of a generation that is not complete are tried again anyway.
    """
    refused: dict[str, tuple[int, int]] = {}
    closed, others = old.tasks(config)
    for task in closed:
        metadata = on_disk.get(task.name)
        if metadata is not None:
            for row in task.rows:
                refused.pop(row.source, None)
            sources = (entry.source for entry in metadata.refused)
            refused.update(zip(sources, metadata.refused_files))
    for task in others:
        for row in task.rows:
            refused.pop(row.source, None)
    return refused


def _print_ignored_changes(old: Plan, videos: Sequence[FoundVideo]) -> None:
    """Prints the ignored changes of the folder and the list."""
    rows = {row.source: row for row in old.rows}
    found = {video.source: video for video in videos}
    missing = rows.keys() - found.keys()
    if missing:
        print(
            f"No longer found: {counted(len(missing), 'video')} (such as"
            f" {min(missing)!r}), kept in the data set."
        )
    changed = [
        source
        for source in rows.keys() & found.keys()
        if found[source].label != rows[source].label
        or found[source].split not in (None, rows[source].split)
    ]
    if changed:
        print(
            "Another label or split than before:"
            f" {counted(len(changed), 'video')} (such as {min(changed)!r}), which is"
            " kept."
        )


def _is_plan_of(
    plan: Plan, on_disk: Mapping[str, ShardMetadata], config: ConversionConfig
) -> bool:
    """Whether all shards on the disk were made by a plan."""
    keys = {task.name: task.key() for tasks in plan.tasks(config) for task in tasks}
    made = {name: metadata.key for name, metadata in on_disk.items()}
    return bool(made) and made.items() <= keys.items()


def _check_has_plan(data_dir: str) -> None:
    """Raises UserError if a data folder without a plan holds shards."""
    names = names_in(data_dir)
    if MANIFEST_NAME in names or any(n.endswith(".tfrecord") for n in names):
        raise UserError(
            f"{data_dir!r} holds a data set whose state ({STATE_DIR}/{PLAN_NAME}) is"
            " missing or of another version, so nothing can be added to it; choose"
            " another --output_dir."
        )


def _check_settings(old: Plan, config: ConversionConfig) -> None:
    changes = [
        f"--{name}={old.settings.get(name)} (now {value})"
        for name, value in _settings(config).items()
        if name not in _NAMES and old.settings.get(name) != value
    ]
    if changes:
        raise UserError(
            f"{config.output_dir!r} was made with other settings:"
            f" {', '.join(changes)}; use the same again, or choose another"
            " --output_dir."
        )


def _check_was_only_moved(
    old: Plan,
    plan: Plan,
    on_disk: Mapping[str, ShardMetadata],
    config: ConversionConfig,
    found: set[str],
) -> None:
    """Raises UserError if the shards were made from other files."""
    keys = {task.key() for tasks in plan.tasks(config) for task in tasks}
    if any(shard.videos and shard.key not in keys for shard in on_disk.values()):
        same_names = {row.source for row in old.rows} & found
        raise UserError(
            f"{config.output_dir!r} was made from another folder (named"
            f" {old.settings.get('videos')!r})"
            f"{' with videos of the same names' if same_names else ''}; choose another"
            " --output_dir, or put new videos into that folder and --append them."
        )


def _other_videos(how: str, config: ConversionConfig) -> UserError:
    return UserError(
        f"{config.output_dir!r} was made from other videos than there are now ({how});"
        " --append keeps the old ones and adds the new ones, or choose another"
        " --output_dir."
    )


def _difference(old: Sequence[VideoRow], new: Sequence[VideoRow]) -> str:
    before = {row.source for row in old}
    now = {row.source for row in new}
    parts = [_describe("new", now - before), _describe("missing", before - now)]
    return "; ".join(filter(None, parts)) or "other labels or splits"


def _describe(word: str, sources: set[str]) -> str:
    return f"{len(sources)} {word}, such as {min(sources)!r}" if sources else ""


def _settings(config: ConversionConfig) -> dict[str, Any]:
    the_list = config.list_path and os.path.basename(os.path.abspath(config.list_path))
    return {
        "videos": os.path.basename(os.path.abspath(config.videos)),
        "list": the_list,
        "fold": config.fold,
        **dataclasses.asdict(config.frame_settings()),
        "val_fraction": config.val_fraction,
        "videos_per_shard": config.videos_per_shard,
        "seed": config.seed,
    }
