"""A guest is known by name alone: the second-person rule must not yield to a spelling."""

from __future__ import annotations

import pytest

from fabrique.reviews.names import alike, is_name


@pytest.mark.parametrize(
    "written",
    [
        "camille RIVIERE", "Rivière Camille", "Camille Rivière (intrapreneuse)", "C. Rivière", "Camille R.", "Camille Rivièrе",
        "Camille\u200bRivière".replace("\u200b", " \u200b"), "Ca\u200bmille Ri\u00advière", "Rivière", "Mme Camille-Rivière",
    ],
)  # fmt: skip
def test_another_spelling_is_still_the_same_person(written: str) -> None:
    assert alike(written, "Camille Rivière")
    assert alike("Camille Rivière", written)


@pytest.mark.parametrize("written", ["Sacha Perrin", "Camille Perrin", "Paul Rivière", "C. R.", "مرحبا", "", "."])
def test_another_name_is_somebody_else(written: str) -> None:
    assert not alike(written, "Camille Rivière")


@pytest.mark.parametrize(
    ("text", "so"), [("Paule", True), ("مرحبا", True), ("Ng", True), ("X", False), (".", False), ("12", False), ("", False)]
)
def test_a_name_has_letters(text: str, so: bool) -> None:
    assert is_name(text) is so
