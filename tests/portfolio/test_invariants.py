"""Whatever imports, reviews, corrections and people do in whatever order, a product's phases and sheet keep their rules."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from conftest import NOW, prepared
from fabrique.accounts.model import AuditRow
from fabrique.accounts.rules import Role
from fabrique.clock import FixedClock
from fabrique.database import Database
from fabrique.language import Problem
from fabrique.portfolio import actions, queries
from fabrique.portfolio.actions import Begun, Writing
from fabrique.portfolio.model import ProductRow, RevisionRow
from fabrique.portfolio.rules import ACTIVE, FINAL, Mark, Origin, Phase, Stage, stay_on, stays_from
from fabrique.portfolio.sheet import NOTHING, Event, ProductSheet, Telling, from_document
from fabrique.reviews.actions import holding
from fabrique.reviews.drafts import fingerprint, whole_fingerprint
from fabrique.reviews.model import ReviewRow
from fabrique.reviews.queries.holding import review
from fabrique.reviews.rules import NEXT, Answer, Decision, Outcome, ReviewState, Seat, back_stages
from people import added_person

TODAY = date(2026, 11, 23)
DAYS = st.dates(date(2023, 1, 1), date(2027, 3, 1))
PAST = st.dates(date(2023, 1, 1), TODAY)
PHASES = st.lists(st.builds(Phase, st.sampled_from(Stage), DAYS, st.none() | DAYS), max_size=5)
WORDS = st.sampled_from(["", "Aides", "Aides +", "« L'aide »", "مرحبا", "🎈"])
ANSWERS = st.dictionaries(st.sampled_from(["open_source", "privacy", "risk_analysis"]), st.sampled_from(["yes", "partly", "no"]))
SLUG = "aides"


class Portfolio(RuleBasedStateMachine):
    """One product, told by files, written by people, reviewed by committees."""

    folder: ClassVar[Path]
    template: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp(dir=self.folder)) / "x.sqlite3"
        shutil.copy(self.template, self.path)
        self.database = Database(f"sqlite:///{self.path}")
        self.clock = FixedClock(NOW)
        self.told: ProductSheet | None = None
        self.version = 0
        self.audited = 0

    def teardown(self) -> None:
        self.database.close()
        shutil.rmtree(self.path.parent)

    @initialize(phases=st.just([Phase(Stage.INVESTIGATION, date(2025, 1, 6))]) | PHASES, start=st.none() | PAST)
    def first(self, phases: list[Phase], start: date | None) -> None:
        """Told by a file, or begun by somebody here and told by no file yet."""
        if start is None:
            self.tell(ProductSheet(SLUG, "Aides", audiences=("agents",), stays=tuple(stays_from(phases)[0])))
        else:
            lou = added_person(self.database, self.clock, "Lou", Role.INTRAPRENEUR, None)
            with self.database.write() as session:
                actions.create_product(session, lou, Begun("Aides", start), self.clock.now(), TODAY)
            self.told, self.audited = NOTHING, 1
        with self.database.read() as session:
            product = queries.product_id_of(session, SLUG)
        assert product is not None
        self.product = product
        self.noor = added_person(self.database, self.clock, "Noor", Role.COACH, product, "coach")
        self.camille = added_person(self.database, self.clock, "Camille", Role.INTRAPRENEUR, product)

    def tell(self, told: ProductSheet, silent: frozenset[str] = frozenset()) -> None:
        """A file comes in; kept: what it amounts to, with what it says nothing about as it was told before."""
        with self.database.write() as session:
            (done,) = actions.put_products(session, [Telling(told, silent)], Writing(None, self.clock.now()))
        self.told = done.told

    def sheet(self) -> ProductSheet:
        with self.database.read() as session:
            return queries.product_sheets(session, [SLUG])[SLUG]

    @rule(
        name=WORDS, phases=PHASES, audiences=st.sets(st.sampled_from("abc"), max_size=3), days=st.sets(PAST, max_size=2),
        answers=ANSWERS, silent=st.sets(st.sampled_from(["stays", "audiences", "events", "qualities", "qualities/privacy"])),
    )  # fmt: skip
    def a_file_tells(
        self, name: str, phases: list[Phase], audiences: set[str], days: set[date], answers: dict[str, str], silent: set[str]
    ) -> None:
        before, base = self.sheet(), self.told
        assert base is not None
        told = ProductSheet(
            SLUG, name or "Sans nom", audiences=tuple(sorted(audiences)), stays=tuple(stays_from(phases)[0]),
            events=tuple(Event("committee", day) for day in sorted(days)), qualities=tuple(answers.items()),
        )  # fmt: skip
        self.tell(told, frozenset(silent))
        after = self.sheet()
        if before.stays != base.stays:
            assert after.stays == before.stays, "what was decided or corrected here stands, whatever the file tells"
        if before.name != base.name:
            assert after.name in {before.name, told.name}
        for field in silent - {"qualities/privacy"}:
            assert getattr(after, field) == getattr(before, field), "of what a file says nothing about, nothing changes"
        decided = {key: answer for key, answer in before.qualities if dict(base.qualities).get(key) != answer}
        assert decided.items() <= dict(after.qualities).items(), "an answer given here stands"
        gone = set(base.events) - set(before.events)
        assert not gone & set(after.events), "an event taken back here does not come again"
        own = [one for one in before.events if one.origin is Origin.PERSON]
        assert [one for one in after.events if one.origin is Origin.PERSON] == own

    @precondition(lambda self: self.told not in (None, NOTHING))
    @rule()
    def the_same_file_again(self) -> None:
        assert self.told is not None
        before = self.sheet()
        with self.database.write() as session:
            (done,) = actions.put_products(session, [self.told], Writing(None, self.clock.now()))
        assert (done.told_before, done.changes, done.kept) == (True, (), ())
        assert self.sheet() == before

    @rule(name=WORDS, audiences=st.lists(st.sampled_from("xyz"), max_size=2, unique=True), answers=ANSWERS)
    def people_write(self, name: str, audiences: list[str], answers: dict[str, str]) -> None:
        changes: dict[str, object] = {"pitch": name, "audiences": tuple(audiences), "qualities": tuple(answers.items())}
        if name:
            changes["name"] = name
        with self.database.write() as session:
            version = queries.version_of(session, self.product)
            if actions.save_sheet(session, self.camille, SLUG, version, changes, self.clock.now()):
                self.audited += 1

    @precondition(lambda self: self.told is not None and self.sheet().events)
    @rule(place=st.integers(0, 5))
    def an_event_is_taken_back(self, place: int) -> None:
        events = self.sheet().events
        event = events[place % len(events)]
        with self.database.write() as session:
            actions.remove_event(session, self.camille, SLUG, event, self.clock.now())
        self.audited += 1
        assert len(self.sheet().events) == len(events) - 1

    @rule(day=PAST, comment=WORDS)
    def something_happens(self, day: date, comment: str) -> None:
        event = Event("release", day, comment)
        known = replace(event, origin=Origin.PERSON) in self.sheet().events
        with self.database.write() as session:
            actions.add_event(session, self.camille, SLUG, event, self.clock.now())
        self.audited += not known

    @rule(phases=PHASES, reason=st.sampled_from(["", "Le registre fait foi"]))
    def a_coach_corrects(self, phases: list[Phase], reason: str) -> None:
        starts = [(phase.stage, phase.start, Mark.KNOWN) for phase in phases]
        with suppress(Problem), self.database.write() as session:
            version = queries.version_of(session, self.product)
            self.audited += actions.correct_stays(session, self.noor, SLUG, version, starts, reason, self.clock.now(), TODAY)

    def present(self) -> Stage | None:
        stay = stay_on(self.sheet().stays, TODAY)
        return stay.stage if stay else None

    @precondition(lambda self: self.present() in ACTIVE)
    @rule(
        decision=st.sampled_from(Decision), after=st.sampled_from([0, 1, 40, 200, -1, 4000]), place=st.integers(0, 2),
        forget=st.sampled_from([""] * 7 + ["answers", "seats", "reasons"]),
    )  # fmt: skip
    def a_committee_decides(self, decision: Decision, after: int, place: int, forget: str) -> None:
        stay = stay_on(self.sheet().stays, TODAY)
        assert stay is not None
        stage, day = stay.stage, min(stay.start + timedelta(days=after), TODAY + timedelta(days=1))
        with self.database.read() as session:
            found = session.scalar(sa.select(ReviewRow.id).where(ReviewRow.state == ReviewState.PREPARING))
        with self.database.write() as session:
            if found is None:
                found = holding.open_review(session, self.noor, SLUG, None, self.clock.now(), TODAY)
                self.audited += 1
        before = self.sheet()
        next_stage = {
            Decision.ADVANCE: NEXT[stage][place % len(NEXT[stage])],
            Decision.PIVOT: ([None, *back_stages(stage)])[place % (1 + len(back_stages(stage)))],
        }.get(decision)
        outcome = Outcome(decision, next_stage, day + timedelta(days=90), "" if forget == "reasons" else "Parce que.")
        self.prepare(found, day, outcome, forget)
        signed = False
        with suppress(Problem), self.database.write() as session:
            kept = review(session, SLUG, found)
            holding.sign(session, self.noor, SLUG, found, whole_fingerprint(kept.draft, kept.planned_on), self.clock.now(), TODAY)
            signed = True
        self.audited += signed
        if forget == "seats" or day > TODAY:
            assert not signed
        if not signed:
            assert self.sheet() == before, "a refused signature changes nothing"
            with self.database.write() as session:
                holding.give_up(session, self.noor, SLUG, found, "", self.clock.now())
            self.audited += 1

    def prepare(self, found: int, day: date, outcome: Outcome, forget: str) -> None:
        def seen(part: str) -> str:
            with self.database.read() as session:
                kept = review(session, SLUG, found)
            return fingerprint(kept.draft, part, kept.planned_on)

        before = self.lines()
        with self.database.read() as session:
            keys = review(session, SLUG, found).criteria.keys
        given: dict[str, tuple[Answer | None, str]] = dict.fromkeys(keys, (Answer.YES, "Vu."))
        with self.database.write() as session:
            now = self.clock.now()
            holding.save_answers(session, self.noor, SLUG, found, seen("criteres"), {} if forget == "answers" else given, now)
        seats = [Seat("Noor", "", self.noor.id)] if forget == "seats" else [Seat("Paule", "directrice")]
        with self.database.write() as session:
            holding.save_committee(session, self.noor, SLUG, found, seen("comite"), day, None, seats, now)
        with self.database.write() as session:
            holding.save_outcome(session, self.noor, SLUG, found, seen("decision"), outcome, now)
        self.audited += self.lines() - before

    def lines(self) -> int:
        with self.database.read() as session:
            return session.scalar(sa.select(sa.func.count()).select_from(AuditRow).where(AuditRow.person_id.is_not(None))) or 0

    @rule(day=st.dates(date(2026, 1, 1), TODAY), which=st.integers(0, 3))
    def a_decision_is_superseded(self, day: date, which: int) -> None:
        with self.database.read() as session:
            found = session.scalars(
                sa.select(ReviewRow.id).where(ReviewRow.state == ReviewState.SIGNED).order_by(ReviewRow.id)
            ).all()
        if not found:
            return
        before = self.lines()
        with suppress(Problem), self.database.write() as session:
            made = holding.supersede(session, self.noor, SLUG, found[which % len(found)], self.clock.now(), TODAY)
            kept = review(session, SLUG, made)
            outcome = Outcome(Decision.CONTINUE, None, (kept.draft.held_on or day) + timedelta(days=30), "Trop tôt.")
            holding.save_outcome(session, self.noor, SLUG, made, fingerprint(kept.draft, "decision"), outcome, self.clock.now())
            session.flush()
            kept = review(session, SLUG, made)
            holding.sign(session, self.noor, SLUG, made, whole_fingerprint(kept.draft, kept.planned_on), self.clock.now(), TODAY)
        self.audited += self.lines() - before

    @invariant()
    def phases_follow_each_other(self) -> None:
        stays = self.sheet().stays if self.told else ()
        assert all(before.end == after.start for before, after in pairwise(stays)), "neither overlap nor gap"
        assert all(before.start <= after.start for before, after in pairwise(stays))
        assert all(before.stage is not after.stage for before, after in pairwise(stays))
        assert [stay.end for stay in stays if stay.end is None] == [None] * bool(stays), "one is open"

    @invariant()
    def what_was_decided_says_by_which_review(self) -> None:
        if not self.told:
            return
        with self.database.read() as session:
            signed = set(session.scalars(sa.select(ReviewRow.id).where(ReviewRow.state == ReviewState.SIGNED)))
            for line in queries.stay_lines(session, [self.product]).get(self.product, []):
                if line.origin is Origin.REVIEW:
                    assert line.review_id in signed
                if line.stay.stage in FINAL and line.origin is Origin.REVIEW:
                    assert line.stay.start <= TODAY

    @invariant()
    def revisions_tell_the_present_sheet_and_the_version_never_goes_back(self) -> None:
        if not self.told:
            return
        with self.database.read() as session:
            last = session.scalars(sa.select(RevisionRow.document).order_by(RevisionRow.id.desc()).limit(1)).one()
            assert from_document(last) == queries.product_sheets(session, [SLUG])[SLUG]
            row = session.scalars(sa.select(ProductRow)).one()
            assert row.version >= self.version
            assert session.scalar(sa.select(sa.func.count()).select_from(RevisionRow)) == row.version
        self.version = row.version

    @invariant()
    def every_act_of_a_person_has_its_line_in_the_trail(self) -> None:
        assert self.lines() == self.audited


@pytest.fixture(scope="module", autouse=True)
def _template(tmp_path_factory: pytest.TempPathFactory) -> None:
    Portfolio.folder = tmp_path_factory.mktemp("portfolio")
    Portfolio.template = Portfolio.folder / "template.sqlite3"
    database = prepared(f"sqlite:///{Portfolio.template}")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


Portfolio.TestCase.settings = settings(max_examples=90, stateful_step_count=20, deadline=None)
TestPortfolio = pytest.mark.slow(Portfolio.TestCase)
