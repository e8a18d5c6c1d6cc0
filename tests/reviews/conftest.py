"""A product in investigation, its team, its coach, and a committee."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pytest

from fabrique.accounts.rules import Person, Role
from fabrique.portfolio.actions import Writing, put_products
from fabrique.portfolio.queries import ProductSheet, product_id_of
from fabrique.portfolio.rules import Stage, Stay
from fabrique.reviews.actions import holding
from fabrique.reviews.actions.criteria import install_criteria
from fabrique.reviews.drafts import fingerprint, whole_fingerprint
from fabrique.reviews.queries.holding import Review, review
from fabrique.reviews.rules import Answer, Condition, Decision, Outcome, Seat
from people import added_person

if TYPE_CHECKING:
    from fabrique.clock import FixedClock
    from fabrique.database import Database

JANUARY, JUNE, TODAY = date(2026, 1, 5), date(2026, 6, 1), date(2026, 11, 23)


@dataclass
class Gate:
    """A product before its gate, and what people do there."""

    database: Database
    clock: FixedClock
    product: int
    camille: Person
    noor: Person
    anne: Person

    def open(self, person: Person | None = None, planned_on: date | None = None) -> int:
        with self.database.write() as session:
            return holding.open_review(session, person or self.noor, "aides", planned_on, self.clock.now(), TODAY)

    def read(self, review_id: int) -> Review:
        with self.database.read() as session:
            return review(session, "aides", review_id)

    def seen(self, review_id: int, part: str) -> str:
        found = self.read(review_id)
        return fingerprint(found.draft, part, found.planned_on)

    def answer(self, review_id: int, answer: Answer = Answer.YES, comment: str = "Vu.", person: Person | None = None) -> None:
        given = dict.fromkeys(self.read(review_id).criteria.keys, (answer, comment))
        with self.database.write() as session:
            holding.save_answers(
                session, person or self.noor, "aides", review_id, self.seen(review_id, "criteres"), given, self.clock.now()
            )

    def seat(self, review_id: int, *seats: Seat, held_on: date | None = JUNE, person: Person | None = None) -> None:
        wanted = seats or (Seat("Anne", "directrice", self.anne.id), Seat("Noor", "coach", self.noor.id))
        with self.database.write() as session:
            holding.save_committee(
                session, person or self.noor, "aides", review_id, self.seen(review_id, "comite"), held_on, None, wanted,
                self.clock.now(),
            )  # fmt: skip

    def decide(self, review_id: int, outcome: Outcome, person: Person | None = None) -> None:
        with self.database.write() as session:
            holding.save_outcome(
                session, person or self.noor, "aides", review_id, self.seen(review_id, "decision"), outcome, self.clock.now()
            )

    def sign(self, review_id: int, person: Person | None = None, seen: str = "") -> None:
        found = self.read(review_id)
        with self.database.write() as session:
            holding.sign(
                session, person or self.noor, "aides", review_id, seen or whole_fingerprint(found.draft, found.planned_on),
                self.clock.now(), TODAY,
            )  # fmt: skip

    def ready(self, outcome: Outcome | None = None) -> int:
        """A review with everything that a signature asks for."""
        found = self.open()
        self.answer(found)
        self.seat(found)
        self.decide(found, outcome or ADVANCE)
        return found

    def stages(self) -> list[tuple[Stage, date]]:
        from fabrique.portfolio.queries import stays_of  # noqa: PLC0415

        with self.database.read() as session:
            return [(stay.stage, stay.start) for stay in stays_of(session, [self.product])[self.product]]


ADVANCE = Outcome(
    Decision.ADVANCE, Stage.EXPERIMENTATION, None, "Le problème est réel.", (Condition("Nommer un DPO", date(2026, 9, 1)),)
)
CONTINUE = Outcome(Decision.CONTINUE, None, date(2026, 12, 1), "Encore dix entretiens.")
STOP = Outcome(Decision.STOP, None, None, "Le problème n’en est pas un.")


@pytest.fixture
def gate(database: Database, clock: FixedClock) -> Gate:
    with database.write() as session:
        install_criteria(session, clock.now())
        sheet = ProductSheet("aides", "Aides", stays=(Stay(Stage.INVESTIGATION, JANUARY, None),))
        put_products(session, [sheet], Writing(None, clock.now()))
        product = product_id_of(session, "aides")
    assert product is not None
    return Gate(
        database,
        clock,
        product,
        added_person(database, clock, "Camille", Role.INTRAPRENEUR, product),
        added_person(database, clock, "Noor", Role.COACH, product, "coach"),
        added_person(database, clock, "Anne", Role.LEADERSHIP, None),
    )
