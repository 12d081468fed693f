import pytest

from vie_tf.terminal.wording import counted, is_or_are


@pytest.mark.parametrize(
    ("number", "noun", "words"),
    [
        (1, "video", "1 video"),
        (0, "video", "0 videos"),
        (239_888, "training video", "239,888 training videos"),
        (1, "class", "1 class"),
        (6, "class", "6 classes"),
        (18, "query", "18 queries"),
        (2, "day", "2 days"),
    ],
)
def test_a_noun_agrees_with_its_number(number, noun, words):
    assert counted(number, noun) == words


def test_the_verb_agrees_with_the_number():
    assert (is_or_are(1), is_or_are(2), is_or_are(0)) == ("is", "are", "are")
