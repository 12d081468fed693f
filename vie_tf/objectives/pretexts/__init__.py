"""Pretext tasks: objectives that ask for something known of a clip."""
