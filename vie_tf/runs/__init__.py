"""What a run is on disk: settings, checkpoints, and its history."""
