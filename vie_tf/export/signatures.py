"""Names of the signatures of an exported SavedModel."""

CLIPS_SIGNATURE = "serving_default"
VIDEO_SIGNATURE = "video"
