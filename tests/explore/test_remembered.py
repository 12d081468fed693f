"""Frames that are compared are read once for a page and a table of doubles."""

import dataclasses

import numpy as np
from collection_fixtures import make_collection, write_index
from video_fixtures import write_video

from vie_tf.commands import explore
from vie_tf.drawing.frame_series import FrameSeries
from vie_tf.drawing.thumbnails import FrameRequest, Thumbnails, without_frames
from vie_tf.explore.pictures import sheets
from vie_tf.explore.pictures.remembered import remembering

SERIES_ALONE = FrameRequest(1.0, 0, 96, 128, with_series=True)


def counting_reader(asked, unreadable=()):
    def read(videos, request):
        for video in videos:
            asked.append((video, request.most))
            series = FrameSeries.pack([np.full([48, 48], video, np.uint8)], [0])
            frames = np.zeros([request.most, 4, 4, 3], np.uint8)
            if video in unreadable:
                yield video, without_frames("the file is empty")
            else:
                yield video, Thumbnails(frames, 1.0, series=series)

    return read


def test_a_series_that_was_read_with_thumbnails_is_not_read_again():
    asked = []
    read = remembering(counting_reader(asked, unreadable={1}))
    list(read(range(3), dataclasses.replace(sheets.REQUEST, with_series=True)))
    found = dict(read([0, 1, 2, 3], SERIES_ALONE))
    assert asked == [(0, 8), (1, 8), (2, 8), (3, 0)]
    assert [int(found[v].series.pixels()[0, 0, 0]) for v in (0, 2, 3)] == [0, 2, 3]
    assert found[1].fault == "the file is empty" and not len(found[2].frames)


def test_thumbnails_are_read_whatever_is_remembered():
    asked = []
    read = remembering(counting_reader(asked))
    list(read([5], SERIES_ALONE))
    ((_, thumbnails),) = read([5], sheets.REQUEST)
    assert asked == [(5, 0), (5, 8)] and len(thumbnails.frames) == 8


def test_a_page_and_a_table_of_doubles_are_made_at_once(tmp_path, capsys):
    sources = [f"{number}.avi" for number in range(4)]
    for number, source in enumerate(sources):
        write_video(tmp_path / "videos" / source, 30, first=20 * (number % 3))
    write_index(tmp_path / "index", make_collection(4).vectors, sources)
    table = tmp_path / "doubles.csv"
    asked = f"--index={tmp_path / 'index'}", f"--page={tmp_path / 'page'}"
    assert explore.main([*asked, f"--duplicates={table}", "--num_processes=1"]) == 0
    printed = capsys.readouterr().out
    assert f"Wrote {tmp_path / 'page' / 'index.html'}" in printed
    assert "of 4 videos" in printed
    rows = [line.split(",") for line in table.read_text().splitlines()]
    number_of = {row[1]: row[0] for row in rows}
    assert number_of["0.avi"] == number_of["3.avi"]
