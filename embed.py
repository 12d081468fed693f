"""Embeds videos by the network of a run, or finds the videos nearest to one.

python embed.py --videos=FOLDER_OR_DATA --model_dir=RUN --output=OUT
python embed.py --query=VIDEO --index=OUT

Videos are those of a data set, or files, which are decoded as data_prep.convert would
and embedded as its records would be.  The same command goes on where it was
interrupted.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
from typing import TYPE_CHECKING, Iterator, Sequence

from flags import cli
from flags import embed as embed_flags
from vie_tf.config import EmbeddingConfig, SearchConfig, VideosConfig
from vie_tf.storage.errors import UserError
from vie_tf.storage.process_exit import run_and_exit

if TYPE_CHECKING:
    from data_prep.config import FrameSettings
    from data_prep.index.video_row import FoundVideo
    from vie_tf.search.clip_features import Block
    from vie_tf.search.embeddings import VideoSource

_SCRATCH = ".decoded"  # in the folder of the embeddings, while it is not complete


def main(arguments: Sequence[str] | None = None) -> int:
    """Embeds or searches, and returns the exit code.

    Args:
      arguments: command line; None for that of the process.
    """
    return cli.run(_embed_or_search, embed_flags.GROUPS, __doc__, arguments)


def _embed_or_search(flags: cli.Flags) -> None:
    if embed_flags.is_search(flags):
        search = flags.config(SearchConfig)
        _search(search, flags.given(EmbeddingConfig).get("model_dir"))
    else:
        _embed(flags.config(VideosConfig), flags.config(EmbeddingConfig))


def _embed(asked: VideosConfig, settings: EmbeddingConfig) -> None:
    # Here, so that --help need not wait for TensorFlow.
    from vie_tf.search import embeddings
    from vie_tf.storage.manifest import is_data_set

    network = embeddings.network_of(settings)
    if is_data_set(asked.videos):
        source = _source_of_records(asked.videos)
    else:
        frames_like = asked.frames_like or network.config.data.data_dir
        source = _source_of_files(asked, _frame_settings(frames_like))
    embeddings.write(network, settings, source, asked.output)


def _search(asked: SearchConfig, model_dir: str | None) -> None:
    from data_prep.convert import decode_blocks
    from vie_tf.search import nearest_videos
    from vie_tf.search.embedding_files import EmbeddingIndex

    index = EmbeddingIndex.load(asked.index)
    if not os.path.isfile(asked.query):
        raise UserError(f"--query={asked.query} is not a file; give one video file.")
    network = nearest_videos.network_of(index, model_dir)
    frames = decode_blocks.frame_settings(index.facts["frames"])
    with tempfile.TemporaryDirectory(prefix="vie_tf-") as folder:
        videos = decode_blocks.find(asked.query)
        blocks = _decoded(videos, frames, folder, num_processes=1)
        hits = nearest_videos.search(index, network, blocks, asked.nearest)
    print(nearest_videos.in_lines(hits, index.facts, asked.query))


def _source_of_records(data_dir: str) -> VideoSource:
    """The videos of a data set."""
    from data_prep.convert.shard_state import hash_of
    from vie_tf.search import clip_features, embeddings
    from vie_tf.storage import remote_files
    from vie_tf.storage.manifest import Manifest

    manifest = Manifest.load(data_dir)
    blocks = clip_features.blocks_of_data_set(data_dir, manifest)
    checksums = [shard.sha256 for shard in manifest.shards]
    return embeddings.VideoSource(
        name=remote_files.absolute(data_dir),
        fingerprint=hash_of([manifest.fingerprint(), checksums]),
        num_videos=len(manifest.videos),
        blocks=lambda first: blocks[first:],
        facts={"frames": manifest.settings},
    )


def _source_of_files(asked: VideosConfig, frames: FrameSettings) -> VideoSource:
    """Video files, which are decoded block by block."""
    from data_prep.convert import decode_blocks
    from vie_tf.search.embeddings import VideoSource

    found = decode_blocks.find(asked.videos)
    scratch = os.path.join(asked.output, _SCRATCH)
    return VideoSource(
        name=os.path.abspath(asked.videos),
        fingerprint=decode_blocks.hash_of_files(found, frames),
        num_videos=len(found),
        blocks=lambda first: _decoded(
            found, frames, scratch, asked.num_processes, first
        ),
        facts={"frames": dataclasses.asdict(frames)},
    )


def _decoded(
    videos: Sequence[FoundVideo],
    frames: FrameSettings,
    scratch_dir: str,
    num_processes: int,
    first_block: int = 0,
) -> Iterator[Block]:
    """Blocks of video files, each there until the next is asked for."""
    from data_prep.convert import decode_blocks
    from vie_tf.search.clip_features import Block

    for manifest in decode_blocks.decode(
        videos,
        frames,
        scratch_dir,
        first_block=first_block,
        num_processes=num_processes,
    ):
        yield Block(scratch_dir, manifest, decode_blocks.SPLIT)


def _frame_settings(data_dir: str) -> FrameSettings:
    """Frame rate and size of a data set, for video files."""
    from data_prep.convert import decode_blocks
    from vie_tf.storage.manifest import Manifest, is_data_set

    if not is_data_set(data_dir):
        raise UserError(
            f"The data set {data_dir!r}, which says at what frame rate and size the"
            " videos are decoded, is not there: give one that was converted like it by"
            " --frames_like."
        )
    return decode_blocks.frame_settings(Manifest.load(data_dir).settings)


if __name__ == "__main__":
    run_and_exit(lambda: sys.exit(main()))
