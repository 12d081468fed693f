"""Embeds videos with the network of a run or without, or finds those nearest to others.

python embed.py --videos=FOLDER_OR_DATA --model_dir=RUN --output=OUT
python embed.py --videos=FOLDER_OR_DATA --network=motion_map --output=OUT
python embed.py --query=VIDEO,VIDEO --index=OUT

Videos are a data set, or files, which are decoded as data_prep.convert would and
embedded as its records would be.  The same command continues where it was interrupted.
"""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from data_prep.config import DecodingConfig
from vie_tf.config import EmbeddingConfig, SearchConfig, VideosConfig
from vie_tf.flags import cli
from vie_tf.flags import embed as embed_flags
from vie_tf.storage.errors import UserError
from vie_tf.terminal.heartbeat import doing

if TYPE_CHECKING:
    from data_prep.config import FrameSettings
    from data_prep.index.video_row import FoundVideo
    from vie_tf.search.video_source import VideoSource
    from vie_tf.storage.frame_spool import FramesRead

_SHORTEST_SIDE = 96  # of frames for a baseline, whose pictures are smaller
_SCRATCH = ".decoded"  # in the folder of the embeddings, while it is not complete


def main(arguments: Sequence[str] | None = None) -> int:
    """Embeds or searches, and returns the exit code."""
    return cli.run(_embed_or_search, embed_flags.GROUPS, __doc__, arguments)


def _embed_or_search(flags: cli.Flags) -> None:
    doing("loading TensorFlow and the network")
    if embed_flags.is_search(flags):
        # Here, so that --help need not wait for TensorFlow.
        from vie_tf.commands.queries import search

        model_dir = flags.given(EmbeddingConfig).get("model_dir")
        search(flags.config(SearchConfig), model_dir, flags.config(DecodingConfig))
    else:
        videos, settings = flags.config(VideosConfig), embed_flags.config(flags)
        _embed(videos, settings, flags.config(DecodingConfig))


def _embed(
    asked: VideosConfig, settings: EmbeddingConfig, decoding: DecodingConfig
) -> None:
    # Here, so that --help need not wait for TensorFlow.
    from vie_tf.search import embeddings
    from vie_tf.search.baseline_embedder import make_embedder
    from vie_tf.search.video_source import source_of_data_set
    from vie_tf.storage.manifest import is_data_set

    embedder = make_embedder(settings)
    if is_data_set(asked.videos):
        source = source_of_data_set(asked.videos)
    else:
        like = asked.frames_like or embedder.data_dir
        of_data = _settings_of(like) if like else {"shortest_side": _SHORTEST_SIDE}
        frames = _frame_settings(asked.videos, of_data)
        source = _source_of_files(asked, frames, decoding, embedder.frames_read)
    doing("decoding and embedding videos")
    embeddings.write(embedder, settings, source, asked.output)


def _source_of_files(
    asked: VideosConfig,
    frames: FrameSettings,
    decoding: DecodingConfig,
    frames_read: FramesRead | None,
) -> VideoSource:
    """Makes the source of video files, which are decoded block by block."""
    from data_prep.convert import decode_blocks
    from vie_tf.commands.queries import decoded
    from vie_tf.search.video_source import ListedVideo, VideoSource

    found = decode_blocks.find(asked.videos, frames.media)
    scratch = os.path.join(asked.output, _SCRATCH)
    # A larger limit lets refused videos be tried again.
    limit = "" if decoding == DecodingConfig() else f" {decoding}"

    def chosen(positions: Sequence[int]) -> list[FoundVideo]:
        return [found[position] for position in positions]

    return VideoSource(
        name=os.path.abspath(asked.videos),
        fingerprint=f"{decode_blocks.hash_of_files(found, frames)}{limit}",
        videos=tuple(
            ListedVideo(number, video.source, video.label or "", "", stamp)
            for number, (video, stamp) in enumerate(
                zip(found, decode_blocks.stamps(found, frames))
            )
        ),
        contents=lambda positions: decode_blocks.contents(chosen(positions), frames),
        stamps=lambda positions: decode_blocks.stamps(chosen(positions), frames),
        blocks=lambda positions: decoded(
            chosen(positions),
            frames,
            scratch,
            asked.num_processes,
            decode_blocks.block_size(len(found)),
            decoding,
            frames_read,
        ),
        frame_settings=dataclasses.asdict(frames),
    )


def _frame_settings(path: str, settings_of_data: Mapping[str, Any]) -> FrameSettings:
    """Returns frame rate, size and medium of the files of a path."""
    from data_prep.convert import decode_blocks

    media = decode_blocks.media_of(path, settings_of_data.get("media", "videos"))
    frames = decode_blocks.frame_settings(settings_of_data)
    return dataclasses.replace(frames, media=media)


def _settings_of(data_dir: str) -> Mapping[str, Any]:
    """Returns the settings of a data set that files are decoded like."""
    from vie_tf.storage.manifest import Manifest, is_data_set

    if not is_data_set(data_dir):
        raise UserError(
            f"There is no data set in {data_dir!r}, whose frame rate and size the"
            " videos are to be decoded at: give --frames_like=DATA of another data set"
            " that was converted in the same way."
        )
    return Manifest.load(data_dir).settings
