"""Every figure of the reference vectors, computed by `fabrique.stats`.

FABRIQUE_REFERENCE_VECTORS names another file of cases of the same families; unknown families and figures fail.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path

import pytest

from stats.reference.families_designs import FAMILIES as DESIGNS
from stats.reference.families_individual import FAMILIES as INDIVIDUAL
from stats.reference.table import OWN, Resolver, check, read_cases

VECTORS = Path(os.environ.get("FABRIQUE_REFERENCE_VECTORS") or OWN)
FAMILIES = {**INDIVIDUAL, **DESIGNS}
CASES = read_cases(VECTORS)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_figures_are_those_of_the_reference(case) -> None:
    check(case, FAMILIES, Resolver(VECTORS))


def own(name: str) -> dict:
    return copy.deepcopy(next(case for case in read_cases(OWN) if case["id"] == name))


def test_the_27_families_are_known() -> None:
    assert len(FAMILIES) == 27
    assert {case["family"] for case in read_cases(OWN)} == set(FAMILIES)


def test_a_family_that_the_table_does_not_know_fails() -> None:
    with pytest.raises(AssertionError, match=r"family 'astrology' .* is not in the table"):
        check({**own("mult_4"), "family": "astrology"}, FAMILIES, Resolver(OWN))


def test_a_figure_that_the_table_does_not_give_fails() -> None:
    case = own("mult_4")
    case["expected"]["sidak"] = [0.1]
    with pytest.raises(AssertionError, match="sidak: not a figure that the table gives"):
        check(case, FAMILIES, Resolver(OWN))
    nested = own("welch_gb")
    nested["expected"]["growthbook_relative"]["odds"] = 1.0
    with pytest.raises(AssertionError, match=r"growthbook_relative\.odds: not a figure"):
        check(nested, FAMILIES, Resolver(OWN))


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("mult_4", lambda e: e["holm"].__setitem__(2, 0.0901), r"holm\[2\]: 0\.09"),
        ("mult_4", lambda e: e["holm"].pop(), "holm: 3 figures were expected"),
        ("ni_ok", lambda e: e.update(non_inferior_fm=False), "non_inferior_fm: True where False"),
        ("deff_1", lambda e: e.update(clusters_per_arm=56), "clusters_per_arm: 55 where 56"),
        ("pow_60_68", lambda e: e.update(n_ceil=566), "n_ceil: 564 where 566"),
        ("ord_jdma_30", lambda e: e.update(U_treat=592.5), "U_treat: 592"),
        ("prop_newcombe_9_10", lambda e: e.update(p_boschloo_two_sided=0.0086), "p_boschloo_two_sided: 0.0079"),
    ],
)
def test_a_figure_beyond_its_tolerance_fails(name, change, why) -> None:
    case = own(name)
    change(case["expected"])
    with pytest.raises(AssertionError, match=why):
        check(case, FAMILIES, Resolver(OWN))


def test_a_figure_within_its_own_tolerance_passes() -> None:
    case = own("pow_60_68")
    case["expected"].update(n_ceil=565)
    check(case, FAMILIES, Resolver(OWN))


def test_data_files_are_found_beside_other_vectors_first(tmp_path) -> None:
    (tmp_path / "vectors").mkdir()
    (tmp_path / "data").mkdir()
    resolver = Resolver(tmp_path / "vectors" / "cases.json")
    assert resolver("data/seatbelts_its.csv").parent == OWN.parent / "data"
    for folder in (tmp_path, tmp_path / "vectors"):
        (folder / "data").mkdir(exist_ok=True)
        near = folder / "data" / "seatbelts_its.csv"
        near.write_text("t\n")
        assert resolver("data/seatbelts_its.csv (all rows)") == near
    with pytest.raises(AssertionError, match="is in none of"):
        resolver("data/nowhere.csv")
