"""Found videos, and what a data folder holds already -> the plan of the conversion.

Comes in: the videos as `index_videos` reads them.  Goes out: a `Plan`, whose tasks
`write_shards` does next.  Nothing is written here; what must not go on raises.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Mapping, Sequence

from data_prep.config import ConversionConfig
from data_prep.convert import storage
from data_prep.convert.conversion_plan import Generation, Plan, without_paths
from data_prep.convert.shard_state import PLAN_NAME, STATE_DIR, ShardMetadata, hash_of
from data_prep.convert.shard_tasks import size_and_time
from data_prep.index import index_videos
from data_prep.index.found_video import FoundVideo, Row
from vie_tf.storage.manifest import MANIFEST_NAME

# Of the settings, those that may change without making another data set: names.
_NAMES = ("videos", "list")


def plan_conversion(
    videos: Sequence[FoundVideo],
    config: ConversionConfig,
    on_disk: Mapping[str, ShardMetadata],
) -> Plan:
    """Returns the plan that a conversion shall follow.

    Without `append`, a data set of one generation is planned as if for the first
    time; it must come to the same rows as before, and of its shards those are made
    again whose videos have changed.  Otherwise all that is in the old plan stays, and
    what is new becomes a generation of its own.

    Args:
      videos: as found.
      config: as for `convert`.
      on_disk: the facts of the shards that are finished, by name.

    Raises:
      ValueError: what is on the disk was made with other settings or from other
        videos, and would have to go; says what to do.
    """
    old = Plan.load(config)
    if old is None:
        _check_is_ours(config.output_dir)
    if old is None or not any(facts.videos for facts in on_disk.values()):
        return _with_one_more(None, _rows(videos, config), config)
    _check_settings(old, config)
    if config.append or len(old.generations) > 1:
        new = _new_videos(old, videos, config, on_disk)
        if new and not config.append:
            raise _other_videos(_in_words("new", {v.source for v in new}), config)
        _say_what_stays(old, videos)
        first_id = 1 + max(row.id for row in old.rows)
        plan = _with_one_more(old, _rows(new, config, first_id), config)
    else:
        plan = _with_one_more(None, _rows(videos, config), config)
        if without_paths(plan.rows) != without_paths(old.rows):
            raise _other_videos(_difference(old.rows, plan.rows), config)
    if old.root != plan.root:
        found = {video.source for video in videos}
        _check_was_only_moved(old, plan, on_disk, config, found)
    return plan


def _rows(
    videos: Sequence[FoundVideo], config: ConversionConfig, first_id: int = 0
) -> tuple[Row, ...]:
    return index_videos.make_rows(
        videos, val_fraction=config.val_fraction, seed=config.seed, first_id=first_id
    )


def _with_one_more(
    old: Plan | None, rows: tuple[Row, ...], config: ConversionConfig
) -> Plan:
    """Returns a plan with these rows as its last, or only, generation."""
    generations = old.generations if old else ()
    if rows:
        labels = {row.label for row in rows if row.label is not None}
        known = old.class_names if old else ()
        generations += (Generation(tuple(sorted(labels - set(known))), rows),)
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
    """Returns the videos that no generation has, and the refused that have changed."""
    refused = _refused_then(old, config, on_disk)
    known = {row.source for row in old.rows}
    return [
        video
        for video in videos
        if video.source not in known
        or refused.get(video.source, size_and_time(video.path))
        != size_and_time(video.path)
    ]


def _refused_then(
    old: Plan, config: ConversionConfig, on_disk: Mapping[str, ShardMetadata]
) -> dict[str, tuple[int, int]]:
    """Returns size and time of the refused videos of the closed generations.

    Those of a generation that is not complete yet are at their turn anyway.
    """
    refused: dict[str, tuple[int, int]] = {}
    closed, others = old.tasks(config)
    for task in closed:
        facts = on_disk.get(task.name)
        if facts is not None:
            for row in task.rows:
                refused.pop(row.source, None)
            sources = (entry.source for entry in facts.refused)
            refused.update(zip(sources, facts.refused_files))
    for task in others:
        for row in task.rows:
            refused.pop(row.source, None)
    return refused


def _say_what_stays(old: Plan, videos: Sequence[FoundVideo]) -> None:
    """Prints what of the folder and the list is not followed."""
    rows = {row.source: row for row in old.rows}
    found = {video.source: video for video in videos}
    gone = rows.keys() - found.keys()
    if gone:
        print(
            f"Not found any more: {len(gone)} videos (such as {min(gone)!r}); what is"
            " in the data set stays."
        )
    changed = [
        source
        for source in rows.keys() & found.keys()
        if found[source].label != rows[source].label
        or found[source].split not in (None, rows[source].split)
    ]
    if changed:
        print(
            f"Another label or split than before: {len(changed)} videos (such as"
            f" {min(changed)!r}); they keep those that they have."
        )


def _check_is_ours(data_dir: str) -> None:
    """Raises ValueError if a data folder without a plan holds shards."""
    names = storage.names_in(data_dir)
    if MANIFEST_NAME in names or any(n.endswith(".tfrecord") for n in names):
        raise ValueError(
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
        raise ValueError(
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
    """Raises ValueError if the shards were not made from the files that are found."""
    keys = {task.key() for tasks in plan.tasks(config) for task in tasks}
    if any(facts.videos and facts.key not in keys for facts in on_disk.values()):
        if not {row.source for row in old.rows} & found:
            raise ValueError(
                f"{config.output_dir!r} was made from another folder (named"
                f" {old.settings.get('videos')!r}). --append wants that one, with new"
                " videos put into it; or choose another --output_dir."
            )
        raise ValueError(
            f"{config.output_dir!r} was made from another folder (named"
            f" {old.settings.get('videos')!r}) with videos of the same names; choose"
            " another --output_dir."
        )


def _other_videos(how: str, config: ConversionConfig) -> ValueError:
    return ValueError(
        f"{config.output_dir!r} was made from other videos than there are now ({how});"
        " --append keeps what is there and adds the new ones, or choose another"
        " --output_dir."
    )


def _difference(old: Sequence[Row], new: Sequence[Row]) -> str:
    before = {row.source for row in old}
    now = {row.source for row in new}
    parts = [_in_words("new", now - before), _in_words("gone", before - now)]
    return "; ".join(filter(None, parts)) or "other labels or splits"


def _in_words(word: str, sources: set[str]) -> str:
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
