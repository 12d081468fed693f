"""vie-tf explore where videos have moved, or some of them cannot be read."""

import csv
import json
import re

from collection_fixtures import clustered, write_index
from video_fixtures import write_video

from vie_tf.commands import explore

# A file name that would be code where it is taken for markup.
NAMES = ["0.avi", "1.avi", "<script>alert(1)<b>.avi", "3.avi"]


def faults_of(page):
    html = (page / "index.html").read_text()
    assert "<script>alert" not in html
    (content,) = re.findall(r'id="content">(.*?)</script>', html, re.DOTALL)
    return json.loads(content)["faults"]


def test_moved_videos_are_found_in_their_new_folder(tmp_path, capsys):
    for number, name in enumerate(NAMES):
        write_video(tmp_path / "moved" / name, 12, first=10 * number)
    (tmp_path / "moved" / "1.avi").write_text("no video")
    write_index(tmp_path / "index", clustered(4), NAMES)
    page, table = tmp_path / "page", tmp_path / "odd.csv"
    asked = [f"--index={tmp_path / 'index'}", f"--page={page}", "--num_processes=1"]
    assert explore.main(asked) == 0
    assert faults_of(page).keys() == {"0", "1", "2", "3"}
    assert "4 of 4 videos have no picture" in capsys.readouterr().out
    asked += [f"--videos={tmp_path / 'moved'}", f"--outliers={table}"]
    assert explore.main(asked) == 0
    assert faults_of(page).keys() == {"1"}
    printed = capsys.readouterr().out
    assert "1 of 4 videos has no picture there, such as 1.avi" in printed
    with open(table, newline="") as file:
        assert {row["video"] for row in csv.DictReader(file)} == set(NAMES)


def test_one_video_is_counted_as_one(tmp_path, capsys):
    write_video(tmp_path / "videos" / "only.avi", 12)
    write_index(tmp_path / "index", clustered(1), ["only.avi"])
    asked = [f"--index={tmp_path / 'index'}", "--num_processes=1"]
    asked += [f"--{name}={tmp_path / name}" for name in ("page", "duplicates")]
    assert explore.main(asked) == 0
    assert "0 of 1 video in 0 sets" in capsys.readouterr().out
