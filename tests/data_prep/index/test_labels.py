from __future__ import annotations

from unicodedata import normalize

from data_prep.index.labels import natural_order, with_one_spelling
from data_prep.index.video_row import FoundVideo

NFC, NFD = normalize("NFC", "fußläufig"), normalize("NFD", "fußläufig")


def _videos(*labels):
    return [FoundVideo(f"/{i}", str(i), label) for i, label in enumerate(labels)]


def _labels(videos):
    return [video.label for video in videos]


def test_whole_numbers_are_in_the_order_of_their_values():
    names = {str(number) for number in range(12)}
    assert natural_order(names) == [str(number) for number in range(12)]
    assert natural_order({"b", "10", "a", "9", "-1"}) == ["-1", "9", "10", "a", "b"]
    assert natural_order({"7", "07", "1" * 5000}) == ["07", "7", "1" * 5000]


def test_other_names_are_in_the_order_of_their_characters():
    names = {"walk 10", "walk 2", "Run", "jump"}
    assert natural_order(names) == sorted(names)


def test_labels_that_look_alike_are_one_class():
    assert NFC != NFD
    assert _labels(with_one_spelling(_videos(NFD, NFC, None))) == [NFC, NFC, None]


def test_a_label_in_one_spelling_keeps_it():
    assert _labels(with_one_spelling(_videos(NFD, "run", NFD))) == [NFD, "run", NFD]


def test_known_classes_keep_their_spelling():
    assert _labels(with_one_spelling(_videos(NFC, "run"), [NFD])) == [NFD, "run"]
    both = [NFC, NFD]
    assert _labels(with_one_spelling(_videos(*both), both)) == both
