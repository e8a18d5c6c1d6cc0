"""Sentences are said in the language in force, French first."""

from __future__ import annotations

import os
import pickle
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from fabrique import language
from fabrique.language import Problem, current, n_, ngettext, of_environment, speaking, without_controls
from fabrique.resources import resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAYS = ("%(num)s day ago", "%(num)s days ago")


def test_a_problem_is_told_in_the_language_of_whoever_reads_it() -> None:
    problem = Problem(n_("the period “%(text)s” does not exist"), text="2026-13")
    assert str(problem) == "la période «\u00a02026-13\u00a0» n’existe pas"
    with speaking("en"):
        assert str(problem) == "the period “2026-13” does not exist"


def test_a_problem_may_hold_signs_of_its_own() -> None:
    assert str(Problem("100 % of it")) == "100 % of it"
    assert str(Problem("%(share)s of it", share="100 % (%s)")) == "100 % (%s) of it"


def test_a_problem_survives_the_way_between_processes() -> None:
    sent = pickle.loads(pickle.dumps(Problem(n_("the period “%(text)s” does not exist"), text="x")))
    assert str(sent) == "la période «\u00a0x\u00a0» n’existe pas"


def test_a_sentence_that_no_catalogue_holds_is_said_in_english() -> None:
    assert language._("never translated %(number)s", number=3) == "never translated 3"
    with speaking("de"):
        assert language._("today") == "today"


@pytest.mark.parametrize(
    ("number", "french", "english"),
    [
        (0, "il y a 0 jour", "0 days ago"),
        (1, "il y a 1 jour", "1 day ago"),
        (2, "il y a 2 jours", "2 days ago"),
        (1_000_000, "il y a 1000000 jours", "1000000 days ago"),
    ],
)
def test_french_says_zero_in_the_singular_and_english_in_the_plural(number: int, french: str, english: str) -> None:
    assert ngettext(*DAYS, number) == french
    with speaking("en"):
        assert ngettext(*DAYS, number) == english


def test_a_number_may_be_written_another_way_than_it_is_counted() -> None:
    assert ngettext(*DAYS, 1000, num="1\u202f000") == "il y a 1\u202f000 jours"


def test_the_language_changes_inside_the_block_only_even_when_it_fails() -> None:
    with speaking("en"):
        with pytest.raises(ZeroDivisionError), speaking("fr"):
            raise ZeroDivisionError
        assert current.get() == "en"
    assert current.get() == "fr"


def test_each_thread_speaks_its_own_language() -> None:
    heard: list[str] = []
    with speaking("en"):
        thread = threading.Thread(target=lambda: heard.append(language._("today")))
        thread.start()
        thread.join()
        assert language._("today") == "today"
    assert heard == ["aujourd’hui"]


@pytest.mark.parametrize(
    ("environ", "spoken"),
    [
        ({}, "fr"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "C.UTF-8"}, "fr"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_MESSAGES": "en_US"}, "en"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": ""}, "en"),
        ({"LANG": "fr_FR", "LC_ALL": "fr_FR", "FABRIQUE_LANGUAGE": "EN"}, "en"),
        ({"LANG": "en_GB", "FABRIQUE_LANGUAGE": "fr"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "fr"),
    ],
)
def test_the_command_line_speaks_french_unless_asked_for_english(environ: dict[str, str], spoken: str) -> None:
    assert of_environment(environ) == spoken


def test_the_real_environment_is_asked_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FABRIQUE_LANGUAGE", "en")
    assert of_environment() == "en"


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A source tree's catalogues without the compiled ones: the French folder."""
    shutil.copytree(resource("locales"), tmp_path / "locales", ignore=shutil.ignore_patterns("*.mo"))
    monkeypatch.setattr(language, "resource", tmp_path.joinpath)
    language.translations.cache_clear()
    yield tmp_path / "locales" / "fr" / "LC_MESSAGES"
    language.translations.cache_clear()


def test_a_fresh_source_tree_speaks_from_its_po_files(catalogues: Path) -> None:
    assert not list(catalogues.glob("*.mo"))
    assert language._("today") == "aujourd’hui"
    assert ngettext(*DAYS, 0) == "il y a 0 jour"
    with speaking("en"):
        assert ngettext(*DAYS, 0) == "0 days ago"


def test_a_compiled_catalogue_older_than_its_source_is_not_believed(catalogues: Path) -> None:
    compiled = catalogues / "fabrique.mo"
    compiled.write_bytes(b"stale")
    stale = catalogues.joinpath("fabrique.po").stat().st_mtime - 10
    os.utime(compiled, (stale, stale))
    assert language._("today") == "aujourd’hui"


def test_an_installed_catalogue_needs_no_source(catalogues: Path) -> None:
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    source = catalogues / "fabrique.po"
    with source.open("rb") as file, source.with_suffix(".mo").open("wb") as out:
        write_mo(out, read_po(file, locale="fr"))
    source.unlink()
    assert language._("today") == "aujourd’hui"


def test_without_any_catalogue_english_is_left(catalogues: Path) -> None:
    shutil.rmtree(catalogues)
    assert language._("today") == "today"
    assert ngettext(*DAYS, 0) == "0 days ago"


def test_what_cannot_be_seen_is_taken_out_of_a_text_and_every_letter_stays() -> None:
    assert without_controls("pay\u202elap\u202c") == "paylap"
    assert without_controls("a\0b\u200bc\u2066d\u2069\u200e\u200f\ufeff") == "abcd"
    kept = "Première ligne\r\n\tنص עברית 👩\u200d💻\u00a0: 1\u202f000"
    assert without_controls(kept) == kept


def test_a_large_number_is_told_in_groups_of_three_digits_and_a_year_is_not() -> None:
    problem = Problem("%(most)s, %(year)s", most=20_000, year=2026)
    assert str(problem) == "20\u202f000, 2026"
    with speaking("en"):
        assert str(problem) == "20,000, 2026"
