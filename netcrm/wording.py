"""Text from other people's files and forms, made fit to be a name, a title or a mail header."""

import unicodedata

JOINERS = "\u200c\u200d"


def one_line(text: str) -> str:
    """Return text for a name or a title: one line, single spaces, nothing invisible in it.

    Mail headers refuse control characters, and one direction mark turns a whole page around.
    The two joiners stay: Persian names and several Indian scripts need them.
    """
    text = " ".join(text.split())
    if text.isprintable():
        return text
    kept = (c for c in text if c in JOINERS or unicodedata.category(c)[0] != "C")
    return " ".join("".join(kept).split())
