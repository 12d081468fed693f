import os
import shutil
import signal

import numpy as np
import pytest
from video_fixtures import cut, picture_number, write_video

from data_prep.config import ConversionConfig
from data_prep.convert import conversion, decode_blocks, write_shard
from data_prep.index.video_row import FoundVideo
from vie_tf.storage import records
from vie_tf.storage.errors import UserError
from vie_tf.storage.frame_reader import FrameReader


@pytest.fixture(name="videos", scope="module")
def fixture_videos(tmp_path_factory):
    """Five videos of two classes, of which the second is cut short."""
    root = tmp_path_factory.mktemp("videos")
    for number, name in enumerate(
        ["a/0.avi", "a/1.mp4", "a/2.avi", "b/3.avi", "b/4.avi"]
    ):
        write_video(root / name, 6 + number, first=20 * number)
    cut(root / "a" / "1.mp4", 0.3)
    return str(root)


def settings(**changed):
    return decode_blocks.frame_settings({"shortest_side": 40, **changed})


def decode(videos, scratch, first=0, **options):
    """Facts of the blocks, with the numbers of the pictures of every video."""
    blocks = []
    found = decode_blocks.find(videos)[first:]
    for manifest in decode_blocks.decode(
        found, settings(), str(scratch), videos_per_block=2, **options
    ):
        pictures = {}
        for video in manifest.split(decode_blocks.SPLIT):
            record = records.parse(
                next(
                    record
                    for record in tf_records(scratch, video.shard)
                    if int(records.parse(record)["id"]) == video.id
                )
            )
            numbers = [picture_number(jpeg) for jpeg in record["frames"].numpy()]
            pictures[video.source] = numbers
        blocks.append((manifest, pictures))
    return blocks


def tf_records(scratch, shard):
    import tensorflow as tf

    return tf.data.TFRecordDataset(os.path.join(scratch, shard))


@pytest.mark.parametrize("num_processes", [1, 2])
def test_blocks_come_in_order_with_all_that_can_be_decoded(
    videos, tmp_path, num_processes
):
    blocks = decode(videos, tmp_path / "scratch", num_processes=num_processes)
    assert [list(pictures) for _, pictures in blocks] == [
        *(["a/0.avi"], ["a/2.avi", "b/3.avi"], ["b/4.avi"])
    ]
    refused = [entry.source for manifest, _ in blocks for entry in manifest.refused]
    assert refused == ["a/1.mp4"]
    entries = [video for manifest, _ in blocks for video in manifest.videos]
    assert [(video.id, video.label) for video in entries] == [
        *((0, 0), (2, 0), (3, 1), (4, 1))
    ]
    assert blocks[1][1]["b/3.avi"] == list(range(60, 69))
    assert not (tmp_path / "scratch").exists()


def test_blocks_of_some_videos_are_those_of_all(videos, tmp_path):
    whole = decode(videos, tmp_path / "one", num_processes=1)
    rest = decode(videos, tmp_path / "two", num_processes=1, first=2)
    assert [pictures for _, pictures in rest] == [pictures for _, pictures in whole[1:]]
    assert decode(videos, tmp_path / "three", num_processes=1, first=5) == []


def test_what_a_kill_has_left_is_removed(videos, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "block-000009.tfrecord").write_bytes(b"left")
    blocks = decode_blocks.decode(
        decode_blocks.find(videos), settings(), str(scratch), num_processes=1
    )
    next(blocks)
    names = sorted(name for name in os.listdir(scratch) if "block" in name)
    assert names == ["block-000000.index", "block-000000.tfrecord"]
    blocks.close()
    assert not scratch.exists()


def test_frames_are_those_that_a_conversion_stores(videos, tmp_path):
    config = ConversionConfig(
        *(videos, str(tmp_path / "data")), shortest_side=40, num_processes=1
    )
    manifest = conversion.convert(config)
    stored = {video.source: video for video in manifest.videos}
    of_run = decode_blocks.frame_settings(manifest.settings)
    assert of_run == config.frame_settings()
    scratch = str(tmp_path / "scratch")
    found = decode_blocks.find(videos)
    for block in decode_blocks.decode(found, of_run, scratch, num_processes=1):
        for video in block.videos:
            other = stored[video.source]
            assert (video.frames, video.bytes) == (other.frames, other.bytes)
            pictures = FrameReader.open(scratch, block, [video])
            wanted = FrameReader.open(str(tmp_path / "data"), manifest, [other])
            np.testing.assert_array_equal(
                pictures.read_images(video, [0, 3]), wanted.read_images(other, [0, 3])
            )


def test_one_file_is_a_folder_of_one(videos):
    (video,) = decode_blocks.find(os.path.join(videos, "a", "0.avi"))
    assert (video.source, video.label) == ("0.avi", None)
    with pytest.raises(UserError, match="does not exist"):
        decode_blocks.find(os.path.join(videos, "nothing"))


def test_data_sets_of_frames_and_images_tell_the_size_of_videos_too():
    found = settings(media="images", fps=10.0, videos="x", val_fraction=0.2)
    assert (found.media, found.fps, found.shortest_side) == ("videos", 10.0, 40)


def test_the_fingerprint_follows_files_and_settings(videos, tmp_path):
    path = tmp_path / "0.avi"
    write_video(path)
    found = decode_blocks.find(str(path))
    before = decode_blocks.hash_of_files(found, settings())
    assert decode_blocks.hash_of_files(found, settings()) == before
    assert decode_blocks.hash_of_files(found, settings(fps=5.0)) != before
    write_video(path, 12)
    assert decode_blocks.hash_of_files(found, settings()) != before


def die_at_the_second(task, report):
    """A worker's decoder that crashes at one of the videos."""
    if "a/2.avi" not in dict(task.rejected):
        for row in task.rows:
            if row.source == "a/2.avi":
                report(row.source, "started")
                os.kill(os.getpid(), signal.SIGSEGV)
    return task.name, write_shard.write_shard(task, report)


def test_a_video_that_crashes_the_decoder_is_refused(videos, tmp_path, monkeypatch):
    monkeypatch.setattr(decode_blocks, "_decode_block", die_at_the_second)
    blocks = decode(videos, tmp_path / "scratch", num_processes=2)
    refused = [entry for manifest, _ in blocks for entry in manifest.refused]
    assert [entry.source for entry in refused] == ["a/1.mp4", "a/2.avi"]
    assert "crashed the decoder (SIGSEGV)" in refused[1].reason
    assert [list(pictures) for _, pictures in blocks] == [
        *(["a/0.avi"], ["b/3.avi"], ["b/4.avi"])
    ]


@pytest.mark.parametrize(
    ("num_videos", "wanted"), [(1, 8), (600, 9), (2000, 31), (240_000, 64)]
)
def test_blocks_are_small_where_there_are_few_videos(num_videos, wanted):
    assert decode_blocks.block_size(num_videos) == wanted


def test_the_content_of_a_file_follows_bytes_and_settings_and_not_its_name(
    videos, tmp_path
):
    write_video(tmp_path / "0.avi")
    shutil.copy(tmp_path / "0.avi", tmp_path / "1.avi")
    write_video(tmp_path / "2.avi", 12)
    names = ("0.avi", "1.avi", "2.avi", "no such.avi")
    found = [FoundVideo(str(tmp_path / name), name, None) for name in names]
    first, copy, other, missing = decode_blocks.contents(found, settings())
    assert first == copy and first != other and missing == ""
    assert decode_blocks.contents(found[:1], settings(fps=5.0)) != [first]
    sizes = [int(one.split()[0]) for one in decode_blocks.stamps(found, settings())]
    assert sizes[0] == sizes[1] == os.path.getsize(found[0].path)
