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
from typing import TYPE_CHECKING, Sequence

from data_prep.config import DecodingConfig
from vie_tf.config import EmbeddingConfig, SearchConfig, VideosConfig
from vie_tf.flags import cli
from vie_tf.flags import embed as embed_flags
from vie_tf.storage.errors import UserError
from vie_tf.storage.heartbeat import doing

if TYPE_CHECKING:
    from data_prep.config import FrameSettings
    from data_prep.index.video_row import FoundVideo
    from vie_tf.search.video_source import VideoSource

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
    from data_prep.convert import decode_blocks
    from vie_tf.search import embeddings
    from vie_tf.search.baseline_embedder import make_embedder
    from vie_tf.search.video_source import source_of_data_set
    from vie_tf.storage.manifest import is_data_set

    embedder = make_embedder(settings)
    if is_data_set(asked.videos):
        source = source_of_data_set(asked.videos)
    else:
        frames = decode_blocks.frame_settings({"shortest_side": _SHORTEST_SIDE})
        if asked.frames_like or embedder.data_dir:
            frames = _frame_settings(asked.frames_like or embedder.data_dir or "")
        source = _source_of_files(asked, frames, decoding)
    doing("decoding and embedding videos")
    embeddings.write(embedder, settings, source, asked.output)


def _source_of_files(
    asked: VideosConfig, frames: FrameSettings, decoding: DecodingConfig
) -> VideoSource:
    """Makes the source of video files, which are decoded block by block."""
    from data_prep.convert import decode_blocks
    from vie_tf.commands.queries import decoded
    from vie_tf.search.video_source import ListedVideo, VideoSource

    found = decode_blocks.find(asked.videos)
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
        ),
        frame_settings=dataclasses.asdict(frames),
    )


def _frame_settings(data_dir: str) -> FrameSettings:
    """Returns frame rate and size of a data set, for video files."""
    from data_prep.convert import decode_blocks
    from vie_tf.storage.manifest import Manifest, is_data_set

    if not is_data_set(data_dir):
        raise UserError(
            f"There is no data set in {data_dir!r}, whose frame rate and size the"
            " videos are to be decoded at: give --frames_like=DATA of another data set"
            " that was converted in the same way."
        )
    return decode_blocks.frame_settings(Manifest.load(data_dir).settings)
