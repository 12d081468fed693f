"""Settings of `python -m vie_tf export`."""

from __future__ import annotations

import dataclasses

from vie_tf.config.optimization import FolderConfig
from vie_tf.config.search import EmbeddingConfig
from vie_tf.config.setting import like, setting


@dataclasses.dataclass(frozen=True)
class ExportConfig(FolderConfig):
    """The network that is exported, and the file that it goes to."""

    output: str = setting(
        dataclasses.MISSING,
        "File or, for saved_model, folder to be written; it must not exist.",
        path=True,
    )
    format: str = setting(
        "saved_model",
        "saved_model: takes clips of any size, or the JPEG frames of a video, and"
        " resizes, crops and averages. tflite, onnx: take clips as the network does."
        " keras: for programs that have VIE-TF.",
        choices=("saved_model", "tflite", "onnx", "keras"),
    )
    checkpoint: str = like(EmbeddingConfig, "checkpoint")
    num_clips: int = like(
        EmbeddingConfig,
        "num_clips",
        help="Equally spaced clips of a video that a SavedModel averages.",
    )
    static_video: bool = like(EmbeddingConfig, "static_video")
