"""embed.py on pictures, folders of frames, and videos longer than a record."""

import csv
import resource
import shutil

import pytest
from label_fixtures import SINGLE, write_run
from video_fixtures import write_picture, write_video

from data_prep.config import ConversionConfig, FrameSettings
from data_prep.convert import conversion, decode_blocks
from vie_tf.commands import embed as command
from vie_tf.storage.errors import UserError

pytestmark = pytest.mark.usefixtures("toy_networks")


def write_media(root, names, num_pictures=8):
    for number, name in enumerate(names):
        if name.endswith(".avi"):
            write_video(root / name, num_pictures, first=7 * number)
        else:
            write_picture(root / name, 7 * number)


def converted(folder, media):
    config = ConversionConfig(
        *(str(folder / "in"), str(folder / "data")),
        shortest_side=40,
        num_processes=1,
        media=media,
    )
    conversion.convert(config)


@pytest.fixture(name="of_pictures", scope="module")
def fixture_of_pictures(tmp_path_factory):
    """Pictures of two classes, their records, a run of `single`, and its index."""
    folder = tmp_path_factory.mktemp("pictures")
    write_media(folder / "in", [f"{c}/{n}.png" for c in "ab" for n in range(4)])
    converted(folder, "images")
    write_run(folder / "run", folder / "data", model=SINGLE)
    assert embed(folder, "in", "index") == 0
    return folder


def embed(folder, videos, output):
    return command.main(
        [
            *(f"--videos={folder / videos}", f"--model_dir={folder / 'run'}"),
            *(f"--output={folder / output}", "--num_processes=1", "--num_clips=1"),
        ]
    )


def nearest_to(folder, query, capsys):
    """What is nearest to a copy of a video, which is not in the index by its path."""
    original, copy = folder / query, folder / "copies" / query
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if original.is_dir() else shutil.copy)(original, copy)
    capsys.readouterr()
    code = command.main([f"--query={copy}", f"--index={folder / 'index'}"])
    printed = capsys.readouterr()
    return code, printed.out.splitlines(), printed.err


def sources_of(output):
    with open(output / "videos.csv", newline="") as file:
        return [row["source"] for row in csv.DictReader(file)]


def test_a_run_of_pictures_embeds_a_folder_of_pictures(of_pictures):
    assert len(sources_of(of_pictures / "index")) == 8


def test_a_picture_finds_itself_among_pictures(of_pictures, capsys):
    code, lines, _ = nearest_to(of_pictures, "in/b/2.png", capsys)
    assert code == 0
    assert lines[1].split()[::2][:2] == ["1", "b/2.png"]


def test_pictures_are_taken_where_a_folder_has_no_videos(tmp_path):
    write_media(tmp_path / "in", [f"{number}.avi" for number in range(6)])
    converted(tmp_path, "videos")
    write_run(tmp_path / "run", tmp_path / "data", model=SINGLE)
    write_media(tmp_path / "new", ["x.png", "y.png"])
    assert embed(tmp_path, "new", "index") == 0
    assert sources_of(tmp_path / "index") == ["x.png", "y.png"]


@pytest.fixture(name="of_videos", scope="module")
def fixture_of_videos(tmp_path_factory):
    """Videos, their records, a run of several frames, and its index."""
    folder = tmp_path_factory.mktemp("videos")
    write_media(folder / "in", [f"{number}.avi" for number in range(6)])
    converted(folder, "videos")
    write_run(folder / "run", folder / "data")
    assert embed(folder, "in", "index") == 0
    return folder


def test_a_picture_is_refused_by_a_network_of_several_frames(of_videos, capsys):
    write_picture(of_videos / "a.jpg", 1)
    code, _, error = nearest_to(of_videos, "a.jpg", capsys)
    assert code == 1
    assert error.count("\n") == 1 and "a.jpg is a picture" in error


def test_a_picture_and_a_video_are_asked_for_in_two_calls(of_videos, capsys):
    write_picture(of_videos / "b.jpg", 1)
    write_video(of_videos / "b.avi", 9)
    queries = f"--query={of_videos / 'b.jpg'},{of_videos / 'b.avi'}"
    assert command.main([queries, f"--index={of_videos / 'index'}"]) == 1
    assert "in another call" in capsys.readouterr().err


def test_a_folder_of_frames_is_one_query_among_folders_of_frames(tmp_path, capsys):
    names = [f"{clip}/{n}.png" for clip in range(4) for n in range(8)]
    for name in names:
        clip, number = name.split("/")
        write_picture(tmp_path / "in" / name, 20 * int(clip) + int(number[0]))
    converted(tmp_path, "frames")
    write_run(tmp_path / "run", tmp_path / "data")
    assert embed(tmp_path, "in", "index") == 0
    code, lines, _ = nearest_to(tmp_path, "in/2", capsys)
    assert code == 0
    assert lines[1].split()[::2][:2] == ["1", "2"]


def test_a_run_that_was_moved_is_given_beside_its_index(of_videos, capsys):
    (of_videos / "run").rename(of_videos / "moved")
    try:
        code, _, error = nearest_to(of_videos, "in/1.avi", capsys)
        assert code == 1
        assert "--model_dir=RUN beside --index" in error
        moved = f"--model_dir={of_videos / 'moved'}"
        query = f"--query={of_videos / 'copies/in/1.avi'}"
        assert command.main([query, f"--index={of_videos / 'index'}", moved]) == 0
    finally:
        (of_videos / "moved").rename(of_videos / "run")


def test_a_folder_without_videos_and_pictures_is_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no video and no picture in .*empty"):
        decode_blocks.media_of(str(tmp_path / "empty"))
    with pytest.raises(UserError, match="nowhere' does not exist"):
        decode_blocks.media_of(str(tmp_path / "nowhere"))


def test_a_video_that_is_too_long_for_a_record_is_embedded(of_videos, monkeypatch):
    monkeypatch.setattr(FrameSettings, "max_record_bytes", 5_000)
    assert embed(of_videos, "in/1.avi", "long") == 0
    assert sources_of(of_videos / "long") == ["1.avi"]


def test_memory_does_not_grow_with_the_length_of_a_video(of_videos, monkeypatch):
    write_video(of_videos / "long.avi", 6_000)  # 25 MB of frames, in a spool of 32
    monkeypatch.setattr("vie_tf.storage.frame_spool.MAX_MEMORY_BYTES", 2**20)
    assert embed(of_videos, "in/2.avi", "warm") == 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert embed(of_videos, "long.avi", "long_ones") == 0
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 20_000  # kB


def test_hours_of_video_have_hours_to_be_decoded(tmp_path):
    path = tmp_path / "hours.mp4"
    with open(path, "wb") as file:
        file.truncate(2 * 10**9)
    assert decode_blocks.time_limit(decode_blocks.find(str(path))) == 20_000
    write_video(tmp_path / "short.avi", 5)
    short = decode_blocks.find(str(tmp_path / "short.avi"))
    assert decode_blocks.time_limit(short) == ConversionConfig.max_seconds
