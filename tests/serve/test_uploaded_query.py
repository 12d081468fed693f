"""How an upload is answered by the network of a run, without a server."""

import pytest
from commands import run_command
from label_fixtures import write_run
from toy_networks import use_toy_networks
from video_fixtures import write_video

from data_prep.config import ConversionConfig, DecodingConfig
from data_prep.convert import conversion
from vie_tf.commands.video_files import uploaded_query
from vie_tf.config.serve import ServedConfig
from vie_tf.serve.query_worker import QueryRefused
from vie_tf.storage.errors import UserError

pytestmark = [pytest.mark.process, pytest.mark.usefixtures("toy_networks")]


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    """Four videos, a run on them at its first moment, and an index of their clips."""
    folder = tmp_path_factory.mktemp("uploads")
    for number in range(4):
        write_video(folder / "videos" / f"{number}.mp4", 60, first=60 * number)
    config = ConversionConfig(
        *(str(folder / "videos"), str(folder / "data")),
        shortest_side=40,
        num_processes=1,
    )
    conversion.convert(config)
    write_run(folder / "run", folder / "data")
    result = run_command(
        *("embed.py", f"--videos={folder / 'videos'}", "--num_processes=1"),
        *(f"--model_dir={folder / 'run'}", f"--output={folder / 'index'}"),
        *("--num_clips=3", "--average=none"),
        setup=use_toy_networks,
    )
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(name="answer", scope="module")
def fixture_answer(folder, toy_networks):
    served = ServedConfig(index=str(folder / "index"), nearest=3)
    stamp = uploaded_query.stamp_of(served.index)
    return uploaded_query.load(served, stamp, DecodingConfig())


def test_clips_answer_with_videos_of_the_page_and_their_place(folder, answer):
    found = answer(str(folder / "videos" / "2.mp4"))["found"]
    assert [one["video"] for one in found][0] == 2 and len(found) == 3
    start, end = found[0]["span"]
    assert 0 <= start < end <= 60 / 25
    assert {one["video"] for one in found} <= {0, 1, 2, 3}


def test_the_network_is_loaded_once(folder, answer, monkeypatch):
    def again(*_):
        raise AssertionError("the network is loaded again")

    monkeypatch.setattr(uploaded_query.nearest_videos, "embedder_of_index", again)
    for number in (1, 3):
        found = answer(str(folder / "videos" / f"{number}.mp4"))["found"]
        assert found[0]["video"] == number


def test_what_is_no_video_reaches_no_decoder(answer, tmp_path, monkeypatch):
    def decode(*_):
        raise AssertionError("it is decoded")

    monkeypatch.setattr(uploaded_query.queries, "embedded", decode)
    (tmp_path / "query").write_text("#EXTM3U\nfile:///etc/passwd")
    with pytest.raises(QueryRefused, match="it is not a video"):
        answer(str(tmp_path / "query"))


def test_an_index_that_has_changed_is_not_searched(folder):
    served = ServedConfig(index=str(folder / "index"))
    with pytest.raises(UserError, match="has changed"):
        uploaded_query.load(served, "another", DecodingConfig())
