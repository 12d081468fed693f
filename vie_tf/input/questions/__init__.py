"""Makes clips that come with an answer, for pretext tasks."""
