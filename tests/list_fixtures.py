"""Folders of empty files, and what a reader makes of a list and such a folder."""

from __future__ import annotations

import os
import pathlib

from data_prep import index_videos
from data_prep.config import ConversionConfig
from data_prep.found_video import FoundVideo


def touch(root: pathlib.Path, *sources: str) -> None:
    """Makes empty files, with the folders that they lie in."""
    for source in sources:
        path = root / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def read(root: pathlib.Path, list_path: pathlib.Path, **settings) -> list[FoundVideo]:
    """Returns what is found of a list, whose format is found out."""
    config = ConversionConfig(
        videos=str(root), output_dir="", list_path=str(list_path), **settings
    )
    return index_videos.read(config)


def folders_listed(monkeypatch) -> list[str]:
    """Returns a list that grows with every folder that is listed from now on."""
    listed: list[str] = []
    scandir = os.scandir

    def counting(path):
        listed.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counting)
    return listed
