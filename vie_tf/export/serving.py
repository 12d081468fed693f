"""Requests to TensorFlow Serving, which serves an exported SavedModel."""

from __future__ import annotations

import base64
import json
from typing import Sequence

from vie_tf.export.signatures import VIDEO_SIGNATURE


def video_request(frames: Sequence[bytes]) -> str:
    """Returns the body of a REST request for the embedding of one video.

    POST it to `http://HOST:8501/v1/models/NAME:predict`; the answer's `outputs` are the
    embedding, D numbers.

    Args:
      frames: JPEG files of the video's frames, in order.
    """
    encoded = [{"b64": base64.b64encode(frame).decode()} for frame in frames]
    return json.dumps(
        {"signature_name": VIDEO_SIGNATURE, "inputs": {"frames": encoded}}
    )
