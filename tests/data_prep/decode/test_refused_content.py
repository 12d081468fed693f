"""Files that would open others, or take gigabytes, are refused before they do."""

import resource
import struct
import zlib

import cv2
import numpy as np
import pytest
from video_fixtures import write_video

from data_prep.config import FrameSettings
from data_prep.decode.decode_video import decode_video
from data_prep.decode.refused_content import size_of_picture
from data_prep.decode.unreadable_video import UnreadableVideo

VIDEOS = FrameSettings(25.0, 40, 90, 2)
IMAGES = FrameSettings(25.0, 40, 90, 2, media="images")
SECRET = "secret.avi"


def playlists(secret):
    """Playlists by their format, all of which lead to another file."""
    segments = f"#EXTINF:10,\n{secret}\n#EXT-X-ENDLIST\n"
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n{segments}"
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x10" + bytes(16)
    dash = (
        f'<?xml version="1.0"?>\n<MPD profiles="urn:mpeg:dash:profile:isoff-on-demand:'
        f'2011"><Period><BaseURL>{secret}</BaseURL></Period></MPD>'
    )
    return {
        "HLS": hls.encode(),
        "HLS behind a tag": tag + hls.encode(),
        "ffconcat": f"ffconcat version 1.0\nfile '{secret}'\n".encode(),
        "DASH": dash.encode(),
        "DASH far behind": b"<!--" + b" " * 200_000 + b"-->" + dash.encode(),
        "SDP": b"v=0\r\nc=IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
        "IMF": b'<?xml version="1.0"?><CompositionPlaylist xmlns="x">',
        "VobSub": b"# VobSub index file, v7\n",
    }


@pytest.mark.parametrize("name", playlists(SECRET))
@pytest.mark.parametrize("extension", ["mp4", "avi", "mkv", "m3u8"])
def test_a_playlist_is_refused_whatever_it_is_called(tmp_path, name, extension):
    write_video(tmp_path / SECRET)
    path = tmp_path / f"video.{extension}"
    path.write_bytes(playlists(tmp_path / SECRET)[name])
    with pytest.raises(UnreadableVideo, match=rf"a playlist \({name.split()[0]}\)"):
        decode_video(str(path), VIDEOS)


def test_a_pattern_of_names_is_no_picture_of_a_video(tmp_path):
    for number in range(9):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((40, 40, 3), np.uint8))
    (tmp_path / "%d.png").write_bytes((tmp_path / "0.png").read_bytes())
    with pytest.raises(UnreadableVideo, match="pattern of other names"):
        decode_video(str(tmp_path / "%d.png"), VIDEOS)


def test_videos_with_any_other_name_are_decoded(tmp_path):
    for name in ("100%.avi", "%d.avi", "a[1]*?.avi"):
        write_video(tmp_path / name)
        assert len(decode_video(str(tmp_path / name), VIDEOS).frames) > 1


def claiming_png(width, height):
    """A PNG of a few bytes that claims any size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for kind, content in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 99))):
        sum_ = struct.pack(">I", zlib.crc32(kind + content))
        chunks += struct.pack(">I", len(content)) + kind + content + sum_
    return b"\x89PNG\r\n\x1a\n" + chunks


def claiming_jpeg(width, height, before=b""):
    """A JPEG whose header claims any size."""
    pixels = np.zeros((16, 16, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", pixels)[1].tobytes()
    at = jpeg.index(b"\xff\xc0")
    claimed = jpeg[: at + 5] + struct.pack(">HH", height, width) + jpeg[at + 9 :]
    return claimed[:2] + before + claimed[2:]


@pytest.mark.parametrize("make", [claiming_png, claiming_jpeg])
@pytest.mark.parametrize("media", ["images", "frames"])
def test_a_picture_that_claims_a_billion_pixels_is_refused_before_it_is_decoded(
    tmp_path, make, media
):
    settings = FrameSettings(25.0, 40, 90, 1, media=media)
    path = tmp_path / "0.png"
    path.write_bytes(make(30_000, 30_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    place = path if media == "images" else tmp_path
    with pytest.raises(UnreadableVideo, match="30,000 x 30,000 pixels, more"):
        decode_video(str(place), settings)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000  # kB


@pytest.mark.parametrize("before", [b"\0garbage", b"\xff\xff\xff", b"\xff\xfe\0\4ab"])
def test_no_byte_between_the_parts_of_a_header_hides_the_size(tmp_path, before):
    path = tmp_path / "0.jpg"
    path.write_bytes(claiming_jpeg(30_000, 30_000, before))
    with pytest.raises(UnreadableVideo, match="max_megapixels|is broken"):
        decode_video(str(path), IMAGES)


def test_the_limit_is_a_number_of_pixels(tmp_path):
    pixels = np.zeros((100, 200, 3), np.uint8)
    for extension in ("jpg", "png", "bmp", "webp", "tiff"):
        path = tmp_path / f"0.{extension}"
        cv2.imwrite(str(path), pixels)
        assert size_of_picture(path.read_bytes()) == (200, 100)
        assert len(decode_video(str(path), IMAGES, None, None, 0.02).frames) == 1
        with pytest.raises(UnreadableVideo, match="200 x 100 pixels"):
            decode_video(str(path), IMAGES, None, None, 0.0199)


def test_a_video_of_too_many_pixels_is_refused(tmp_path):
    path = tmp_path / "0.avi"
    write_video(path)
    assert len(decode_video(str(path), VIDEOS).frames) > 1
    with pytest.raises(UnreadableVideo, match="pixels, more than --max_megapixels=0.0"):
        decode_video(str(path), VIDEOS, None, None, 0.001)
