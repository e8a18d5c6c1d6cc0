"""Could two names be the same person's? A guest is known by name alone, and the second-person rule must not yield to a spelling."""

from __future__ import annotations

import re
import unicodedata

from fabrique.language import folded

# Letters of other alphabets that look like Latin ones (Unicode TS 39 names thousands; these are those that a name is typed with).
LOOKALIKES = str.maketrans("аеорсухіјѕкмтнвοαειυνρτκχ", "aeopcyxijskmthboaeiuvptkx")


def words_of(name: str) -> list[str]:
    """The words of a name without case, accents, invisible characters or punctuation, look-alikes read as what they look like."""
    visible = "".join(
        letter for letter in unicodedata.normalize("NFKC", name) if unicodedata.category(letter) not in {"Cf", "Cc"}
    )
    return re.findall(r"[^\W\d_]+", folded(visible).translate(LOOKALIKES))


def alike(one: str, other: str) -> bool:
    """Whether two names could be one person's: each word of the shorter stands in the longer, whole or as its initial.

    Word order, accents, a title in brackets or an initial make no difference; at least one word is shared whole.
    """
    shorter, longer = sorted((words_of(one), words_of(other)), key=len)
    left, shared = list(longer), 0
    for word in sorted(shorter, key=len, reverse=True):
        found = next((mate for mate in left if mate == word), None)
        shared += found is not None and len(word) > 1
        found = found or next((mate for mate in left if word[0] == mate[0] and 1 in {len(word), len(mate)}), None)
        if found is None:
            return False
        left.remove(found)
    return shared > 0


def is_name(text: str) -> bool:
    """Whether a text could be somebody's name: a word of two letters at least."""
    return any(len(word) > 1 for word in words_of(text))
