from __future__ import annotations

import csv
import dataclasses
import pathlib
import signal
import subprocess
import sys
import threading
import time

import kinetics_fixtures as fixtures
import pytest
import video_fixtures as videos
from process_fixtures import wait_until_gone

from data_prep.config import KineticsConfig
from data_prep.decode.opencv import cv2
from data_prep.download_kinetics import __main__ as command
from data_prep.download_kinetics import fetch_segment, fetch_segments, reports
from data_prep.download_kinetics.download import _work_dir, download
from data_prep.download_kinetics.segments import Segment, read_segments
from data_prep.index.lists.kinetics import read_kinetics
from data_prep.index.media_tree import MediaTree
from data_prep.workers.child_processes import ChildProcesses, Stopped
from vie_tf.storage.errors import UserError

PROJECT = pathlib.Path(__file__).parents[2]
# Ids may start with what looks like an option.
FIRST, SECOND, THIRD = "-aaaaaaaaaa", "bbbbbbbbbbb", "--cccc_cccc"
PRIVATE = "ERROR: [youtube] x: Private video. Sign in if you've been granted access"
BUSY = "ERROR: unable to download video data: HTTP Error 503: Service Unavailable"
HEADER = "label,youtube_id,time_start,time_end,split"


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> bytes:
    """Six seconds at 25 fps whose pictures are numbered."""
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    videos.write_video(path, num_pictures=150)
    return path.read_bytes()


@pytest.fixture
def site(video):
    with fixtures.serving(video) as site:
        yield site


@pytest.fixture
def config(site, tmp_path) -> KineticsConfig:
    """Three segments from the second 2 to 4, to be fetched with the stand-ins."""
    rows = [
        f"playing drums,{FIRST},2,4,train",
        f"playing drums,{SECOND},2,4,train",
        f"yoga,{THIRD},2,4,validate",
    ]
    path = tmp_path / "kinetics.csv"
    path.write_text("\n".join([HEADER, *rows, ""]))
    return KineticsConfig(
        csv_path=str(path),
        output_dir=str(tmp_path / "clips"),
        num_parallel=2,
        retry_secs=0.01,
        url_template=site.url_template,
        yt_dlp=fixtures.write_program(tmp_path / "yt-dlp", fixtures.YT_DLP),
        ffmpeg=fixtures.write_program(tmp_path / "ffmpeg", fixtures.FFMPEG),
    )


def _clips(config: KineticsConfig) -> list[str]:
    """All files that a reader sees, but reports."""
    root = pathlib.Path(config.output_dir)
    paths = (path.relative_to(root) for path in root.rglob("*.*") if path.is_file())
    visible = [p for p in paths if p.parts[0] != ".downloading" and p.suffix != ".csv"]
    return sorted(path.as_posix() for path in visible)


def _picture_numbers(path: pathlib.Path) -> list[int]:
    capture = cv2.VideoCapture(str(path))
    numbers = []
    while (read := capture.read())[0]:
        jpeg = cv2.imencode(".jpg", read[1])[1]
        numbers.append(videos.picture_number(jpeg))
    return numbers


def _report(config: KineticsConfig, name: str) -> list[dict[str, str]]:
    with open(pathlib.Path(config.output_dir) / name, newline="") as file:
        return list(csv.DictReader(file))


def test_the_segments_are_cut_out_and_lie_in_folders_of_their_labels(config):
    result = download(config)
    assert (result.present, result.unavailable, result.failed) == (3, (), ())
    assert _clips(config) == [
        f"playing drums/{FIRST}_000002_000004.mp4",
        f"playing drums/{SECOND}_000002_000004.mp4",
        f"yoga/{THIRD}_000002_000004.mp4",
    ]
    root = pathlib.Path(config.output_dir)
    for clip in _clips(config):
        assert _picture_numbers(root / clip) == list(range(50, 100))
    assert [path.name for path in (root / ".downloading").iterdir()] == []


def test_the_conversion_finds_the_clips_by_the_same_csv(config, site):
    site.answers[SECOND] = [PRIVATE]
    download(config)
    tree = MediaTree(config.output_dir, "videos")
    found = read_kinetics(config.csv_path, tree)
    clips = [video for video in found if video.source in _clips(config)]
    assert [(video.label, video.split) for video in clips] == [
        ("playing drums", "train"),
        ("yoga", "val"),
    ]


def test_a_notice_at_the_start_says_that_many_videos_no_longer_exist(config, capsys):
    download(config)
    text = capsys.readouterr()
    assert "no longer exists on YouTube" in text.out and "CVD Foundation" in text.out
    assert "downloading: 3/3 videos" in text.err


def test_clips_that_are_there_are_not_downloaded_again(config, site, capsys):
    download(config)
    site.asked.clear()
    pathlib.Path(config.output_dir, _clips(config)[1]).unlink()
    assert download(config).present == 3
    assert site.asked == [SECOND]
    assert "2 of 3 clips" in capsys.readouterr().out


def test_what_is_unavailable_is_asked_for_once_and_reported(config, site):
    site.answers[SECOND] = [PRIVATE]
    result = download(config)
    assert site.asked.count(SECOND) == 1
    expected = {"youtube_id": SECOND, "time_start": "2", "label": "playing drums"}
    assert _report(config, "gone.csv") == [{**expected, "reason": "private"}]
    assert len(_clips(config)) == 2
    lines = list(reports.summary(result, config))
    assert "2 of 3" in lines[0]
    assert "1 (33.3%)" in lines[1]
    site.asked.clear()
    assert [outcome.reason for outcome in download(config).unavailable] == ["private"]
    assert site.asked == []


def test_a_report_that_a_kill_has_cut_off_is_mended(config, site):
    site.answers[SECOND] = [PRIVATE]
    download(config)
    path = pathlib.Path(config.output_dir, "gone.csv")
    path.write_text(path.read_text() + f"{FIRST},2")
    download(config)
    assert [row["youtube_id"] for row in _report(config, "gone.csv")] == [SECOND]


def test_a_segment_after_the_end_of_the_video_is_unavailable(config):
    path = pathlib.Path(config.csv_path)
    path.write_text(f"{HEADER}\nyoga,{FIRST},50,60,train\n")
    assert download(config).unavailable[0].reason == "the video ends before the segment"
    assert _clips(config) == []


def test_an_error_that_may_pass_is_tried_again(config, site):
    site.answers[SECOND] = [BUSY, BUSY, ""]
    assert download(config).present == 3
    assert site.asked.count(SECOND) == 3


def test_what_fails_to_the_end_is_not_reported_as_unavailable(config, site):
    site.answers[SECOND] = [BUSY]
    result = download(config)
    assert site.asked.count(SECOND) == config.num_tries == 3
    assert result.unavailable == () and _report(config, "gone.csv") == []
    (row,) = _report(config, "failed.csv")
    assert row["youtube_id"] == SECOND and "HTTP Error 503" in row["reason"]
    site.answers.clear()
    assert download(config).present == 3
    assert not pathlib.Path(config.output_dir, "failed.csv").exists()


def test_where_nothing_goes_well_the_run_stops(config, site, monkeypatch):
    monkeypatch.setattr(fetch_segments, "_MOST_FAILURES_IN_A_ROW", 2)
    rows = [f"yoga,{number:011d},2,4,train" for number in range(50)]
    pathlib.Path(config.csv_path).write_text("\n".join([HEADER, *rows]))
    for number in range(50):
        site.answers[f"{number:011d}"] = [BUSY]
    once = dataclasses.replace(config, num_tries=1)
    with pytest.raises(UserError, match="2 videos.*HTTP Error 503.*--yt_dlp_option"):
        download(once)
    assert len(site.asked) < 10


def test_a_full_disk_stops_the_run_in_one_line(config, site):
    site.answers[FIRST] = ["ERROR: unable to write data: No space left on device"]
    with pytest.raises(UserError, match="full"):
        download(config)


def test_several_videos_are_downloaded_at_once(config, site):
    pathlib.Path(config.csv_path).write_text(
        f"{HEADER}\nyoga,{FIRST},2,4,train\nyoga,{SECOND},2,4,train\n"
    )
    site.together = threading.Barrier(2)  # Breaks, if only one comes.
    assert download(config).present == 2


COMMAND = (sys.executable, "-m", "data_prep.download_kinetics")


def _flags(config: KineticsConfig) -> list[str]:
    names = {"csv_path": "csv"}
    values = dataclasses.asdict(config)
    del values["yt_dlp_options"]
    return [f"--{names.get(name, name)}={value}" for name, value in values.items()]


@pytest.mark.parametrize(
    ("how", "code", "word"),
    [
        (signal.SIGINT, 130, "Interrupted"),
        (signal.SIGTERM, 143, "Terminated"),
        (signal.SIGKILL, -9, ""),
    ],
)
def test_a_run_that_is_killed_leaves_whole_clips_and_goes_on(
    config, site, how, code, word
):
    site.stuck.add(SECOND)
    run = subprocess.Popen(
        [*COMMAND, *_flags(config)],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's job in the background ignores it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while SECOND not in site.asked or len(_clips(config)) < 2:
        assert time.monotonic() < deadline and run.poll() is None
        time.sleep(0.02)
    run.send_signal(how)
    stderr = run.communicate(timeout=60)[1]
    assert run.returncode == code
    assert not word or stderr.splitlines()[-1].startswith(word)
    assert [SECOND in clip for clip in _clips(config)] == [False, False]
    site.stuck.clear()
    assert download(config).present == 3
    work_dir = pathlib.Path(config.output_dir, ".downloading")
    assert [path.name for path in work_dir.iterdir()] == []


def test_stopping_kills_programs_with_what_they_have_started(tmp_path):
    children = ChildProcesses()
    pid_path = tmp_path / "pid"
    program = f"sleep 60 & echo $! > {pid_path}.new; mv {pid_path}.new {pid_path}; wait"
    errors = []

    def run() -> None:
        with pytest.raises(Stopped) as error:
            children.run(["sh", "-c", program], timeout_secs=60)
        errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not pid_path.exists():
        time.sleep(0.01)
    children.stop()
    thread.join(timeout=30)
    assert len(errors) == 1
    wait_until_gone([int(pid_path.read_text())])
    with pytest.raises(Stopped):
        children.run(["true"], timeout_secs=60)


def test_a_program_that_hangs_is_killed():
    with pytest.raises(TimeoutError, match="sleep .*0.1 s"):
        ChildProcesses().run(["sleep", "60"], timeout_secs=0.1)


@pytest.mark.parametrize(
    ("flag", "remedy"),
    [("yt_dlp", "pip install yt-dlp"), ("ffmpeg", "package manager")],
)
def test_a_missing_program_is_one_line_that_says_how_to_get_it(config, flag, remedy):
    missing = dataclasses.replace(config, **{flag: "no-such-program"})
    with pytest.raises(UserError, match=f"'no-such-program'.*{remedy}.*--{flag}"):
        download(missing)


def test_the_command_fails_in_one_line(config, capsys):
    config = dataclasses.replace(config, ffmpeg="no-such-program")
    assert command.main(_flags(config)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and "'no-such-program'" in line


def test_help_says_that_many_videos_no_longer_exist(capsys):
    assert command.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "no longer exists" in text and "CVD Foundation" in text
    assert "--url_template=VALUE" in text


def test_two_downloads_do_not_write_to_one_folder(config):
    with _work_dir(config.output_dir):
        with pytest.raises(UserError, match="--output_dir"):
            download(config)


def test_the_address_follows_all_options(config):
    segment = Segment(FIRST, 2, 4, "yoga")
    more = dataclasses.replace(config, yt_dlp_options=("--cookies=c.txt",))
    command = fetch_segment.download_command(more, segment, "/tmp/100%")
    url = config.url_template.replace("{id}", FIRST)
    assert command[-3:] == ["--cookies=c.txt", "--", url]
    assert command[command.index("--output") + 1] == "/tmp/100%%/video.%(ext)s"
    assert FIRST not in command


def test_the_cut_compresses_again():
    config = KineticsConfig("", "")
    command = fetch_segment.cut_command(config, Segment(FIRST, 12, 22, ""), "in", "out")
    assert command.index("-ss") < command.index("-i") < command.index("-t")
    assert command[command.index("-ss") + 1] == "12"
    assert command[command.index("-t") + 1] == "10"
    assert "libx264" in command and "copy" not in command


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (PRIVATE, "private"),
        (
            "ERROR: [youtube] x: Video unavailable. This video is no longer available"
            " because the YouTube account associated with this video has been"
            " terminated.",
            "account terminated",
        ),
        (
            "ERROR: [youtube] x: Video unavailable. This video is no longer available"
            " due to a copyright claim by Someone",
            "copyright",
        ),
        (
            "ERROR: [youtube] x: Video unavailable. This video contains content from"
            " Someone, who has blocked it in your country on copyright grounds",
            "not available in this country",
        ),
        (
            "ERROR: [youtube] x: Sign in to confirm your age. This video may be"
            " inappropriate for some users.",
            "age restricted",
        ),
        (
            "ERROR: [youtube] x: Video unavailable. This video has been removed by the"
            " uploader",
            "removed by the uploader",
        ),
        (
            "ERROR: [youtube] x: This video has been removed for violating YouTube's"
            " Terms of Service",
            "removed by the site",
        ),
        ("ERROR: [youtube] x: Video unavailable", "unavailable"),
        ("ERROR: [youtube] x: This video isn\u2019t available anymore", "unavailable"),
        (
            "ERROR: [generic] Unable to download webpage: HTTP Error 404: Not",
            "not found",
        ),
        (
            "ERROR: [youtube] x: Video unavailable. This content isn't available, try"
            " again later. The current session has been rate-limited by YouTube",
            None,
        ),
        ("ERROR: [youtube] x: Sign in to confirm you\u2019re not a bot.", None),
        ("ERROR: [youtube] x: Requested format is not available.", None),
        (BUSY, None),
        (f"{PRIVATE}\n{BUSY}", None),  # The last error counts.
        ("", None),
    ],
)
def test_messages_of_yt_dlp_are_distinguished(message, reason):
    stderr = f"WARNING: [youtube] Private video\n{message}\n"
    assert fetch_segment.reason_if_unavailable(stderr) == reason


def _read(tmp_path: pathlib.Path, *rows: str, header: str = HEADER, **chosen):
    path = tmp_path / "list.csv"
    path.write_text("\n".join([header, *rows, ""]))
    return read_segments(str(path), **chosen)


def test_the_rows_become_segments_in_their_order(tmp_path):
    segments = _read(
        tmp_path,
        f"yoga,{SECOND},2,12,train",
        f"playing drums,{FIRST},0,10,validate",
        f"yoga,{SECOND},2,12,train",  # Once is enough.
    )
    assert segments == [
        Segment(SECOND, 2, 12, "yoga"),
        Segment(FIRST, 0, 10, "playing drums"),
    ]
    assert segments[1].path == f"playing drums/{FIRST}_000000_000010.mp4"


def test_split_and_limit_choose_rows(tmp_path):
    rows = [f"yoga,{n:011d},0,10,{'validate' if n % 2 else 'train'}" for n in range(9)]
    chosen = _read(tmp_path, *rows, split="val", limit=3)
    assert [int(segment.youtube_id) for segment in chosen] == [1, 3, 5]
    with pytest.raises(UserError, match="--split=test.*train"):
        _read(tmp_path, *rows, split="test")


def test_more_columns_and_a_missing_label_are_taken(tmp_path):
    header = "youtube_id,time_start,time_end,split,is_cc"
    (segment,) = _read(tmp_path, f"{FIRST},1.0,11,test,1", header=header)
    assert segment.path == f"{FIRST}_000001_000011.mp4"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"a/b,{FIRST},0,10,train", "row 2: .*'a/b'"),
        (f"a\\b,{FIRST},0,10,train", "row 2: .*label"),
        (f"..,{FIRST},0,10,train", "row 2: .*label"),
        (f".hidden,{FIRST},0,10,train", "row 2: .*label"),
        ("yoga,short,0,10,train", "row 2: .*'short'.* 11 "),
        ("yoga,aaaaa aaaaa,0,10,train", "row 2: .*youtube_id"),
        ("yoga,../../../a,0,10,train", "row 2: .*youtube id"),
        ("yoga,--exec=true,0,10,train", "row 2: .*youtube_id"),
        (f"yoga,{FIRST},x,10,train", "row 2: .*'x'"),
        (f"yoga,{FIRST},-1,10,train", "row 2: .*'-1'"),
        (f"yoga,{FIRST},1.5,10,train", "row 2: .*1.5"),
        (f"yoga,{FIRST},10,10,train", "row 2: the end"),
        (f"yoga,{FIRST}", "row 2: time_start"),
    ],
)
def test_rows_that_are_not_what_they_should_be_are_refused(tmp_path, row, message):
    with pytest.raises(UserError, match=message):
        _read(tmp_path, row)


def test_another_csv_is_refused_with_what_it_has(tmp_path):
    with pytest.raises(UserError, match="youtube_id"):
        _read(tmp_path, "1", header="video")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="UTF-8"):
        read_segments(str(tmp_path / "binary.csv"))
