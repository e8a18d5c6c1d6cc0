"""A product's reviews: the list, one review while it is prepared and once it is signed, its form part by part, its signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from fabrique.accounts.rules import Permission
from fabrique.language import Problem, n_, without_controls
from fabrique.reviews import forms
from fabrique.reviews.actions import conditions, holding
from fabrique.reviews.actions.holding import NotReady, ReviewOvertaken
from fabrique.reviews.drafts import PARTS, fingerprint
from fabrique.reviews.pages.reading import LABELS, Form, person_of, rights
from fabrique.reviews.queries import sitting
from fabrique.reviews.queries.holding import review
from fabrique.reviews.rules import ReviewState
from fabrique.web.calendar import calendar_answer
from fabrique.web.errors import NotAllowed, not_there, status_of
from fabrique.web.rendering import answer, private_answer, render, see_other
from fabrique.web.visit import Visit

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from fabrique.reviews.queries.holding import Review

LARGEST_ID = 2**31 - 1


class DaysUnread(Problem):
    """Some days of a form cannot be read."""


@get("/produits/{slug:str}/revues", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def reviews(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """Which reviews had this product, when is the next?"""
    return answer(visit, lambda s: list_page(visit, s, slug))


def list_page(visit: Visit, session: Session, slug: str, problem: str = "", typed: str = "") -> str:
    """The list of a product's reviews."""
    page = sitting.reviews_page(session, slug, visit.today)
    may = rights(visit, page.product_id)
    return render(visit, "reviews/list.html", page=page, rights=may, problem=problem, typed=typed, **LABELS)


@post("/produits/{slug:str}/revues", permission=Permission.WORK, sync_to_thread=True)
def open_review(visit: NamedDependency[Visit], slug: FromPath[str], data: Form) -> Response[bytes] | Redirect:
    """Open the review of the present gate, or ask for it."""
    faults: list[forms.DayUnread] = []
    planned_on = forms.read_day(data, "planned_on", faults)
    try:
        require_days(faults)
        with visit.site.database.write() as session:
            made = holding.open_review(session, person_of(visit), slug, planned_on, visit.site.clock.now(), visit.today)
    except Problem as problem:
        with visit.site.database.read() as session:
            return private_answer(
                visit, list_page(visit, session, slug, str(problem), data.get("planned_on", "")), status_of(problem)
            )
    return see_other(f"/produits/{slug}/revues/{made}")


def require_days(faults: list[forms.DayUnread]) -> None:
    """Raise DaysUnread where a field holds no day."""
    if faults:
        raise DaysUnread(n_("A day cannot be read: see the field below; write it as 2026-03-14 or 14/03/2026."))


@get("/produits/{slug:str}/revues/{review_id:int}", permission=Permission.READ, revisitable=True, sync_to_thread=True)
def one_review(visit: NamedDependency[Visit], slug: FromPath[str], review_id: FromPath[int]) -> Response[bytes]:
    """May the product enter its next phase? The state of the preparation, or the minutes."""
    return answer(visit, lambda s: review_page(visit, s, slug, review_id))


def review_page(
    visit: Visit, session: Session, slug: str, review_id: int, problem: str = "", typed: dict[str, str] | None = None
) -> str:
    """The review's own page: minutes once it is signed."""
    page = sitting.review_page(session, slug, within(review_id), visit.today)
    template = "reviews/minutes.html" if page.review.record else "reviews/show.html"
    found = rights(visit, page.review.product_id, page.review.draft.committee)
    return render(visit, template, page=page, x=page.review, rights=found, problem=problem, typed=typed or {}, **LABELS)


def within(review_id: int) -> int:
    """An id that the databases can hold. Raises NotThere."""
    if review_id > LARGEST_ID:
        raise not_there(str(review_id))
    return review_id


def again(visit: Visit, slug: str, review_id: int, problem: Problem, typed: dict[str, str] | None = None) -> Response[bytes]:
    """The review's page with what went wrong at its top, and what was typed in its place."""
    with visit.site.database.read() as session:
        text = review_page(visit, session, slug, review_id, str(problem), typed)
    return private_answer(visit, text, status_of(problem))


@get("/produits/{slug:str}/revues/{review_id:int}/{part:str}", permission=Permission.WORK, sync_to_thread=True)
def part_form(
    visit: NamedDependency[Visit], slug: FromPath[str], review_id: FromPath[int], part: FromPath[str]
) -> Response[bytes]:
    """One part of the form."""
    with visit.site.database.read() as session:
        page = sitting.review_page(session, slug, within(review_id), visit.today)
    require_part(visit, page.review, part)
    return form_answer(visit, page, part, values_of(page.review, part))


def require_part(visit: Visit, found: Review, part: str) -> None:
    """Raise NotThere for another part, NotAllowed for who may not write it."""
    if part not in PARTS:
        raise not_there(part)
    may = rights(visit, found.product_id)
    if part == "equipe" and not may.asks:
        raise NotAllowed(n_("Only the product’s own team says how it sees the criteria."))
    if part != "equipe" and not may.prepares:
        raise NotAllowed(n_("A review is prepared by a coach of the product."))


def values_of(found: Review, part: str) -> forms.Values:
    """A part's fields as they are kept."""
    match part:
        case "criteres" | "equipe":
            return forms.answer_values(found.draft, found.criteria.keys, team=part == "equipe")
        case "comite":
            return forms.committee_values(found.draft, found.planned_on)
        case _:
            return forms.outcome_values(found.draft)


def form_answer(
    visit: Visit, page: sitting.ReviewPage, part: str, values: forms.Values, *, seen: str = "", problem: Problem | None = None,
    faults: tuple[forms.DayUnread, ...] = (), more: str = "",
) -> Response[bytes]:  # fmt: skip
    """A part's page."""
    x = page.review
    template = {"comite": "committee", "decision": "decision"}.get(part, "criteria")
    text = render(
        visit, f"reviews/{template}.html", page=page, x=x, part=part, values=values, problem=problem or "",
        changes=getattr(problem, "changes", ()), faults={one.field: str(one) for one in faults},
        seen=seen or fingerprint(x.draft, part, x.planned_on), closed=x.state is not ReviewState.PREPARING,
        seats=forms.rows_of(values, "name", forms.SPARE_SEATS + 3 * (more == "seat")),
        rows=forms.rows_of(values, "condition", forms.SPARE_CONDITIONS + 2 * (more == "condition")), **LABELS,
    )  # fmt: skip
    return private_answer(visit, text, status_of(problem) if problem else 200)


@post("/produits/{slug:str}/revues/{review_id:int}/{part:str}", permission=Permission.WORK, sync_to_thread=True)
def save_part(
    visit: NamedDependency[Visit], slug: FromPath[str], review_id: FromPath[int], part: FromPath[str], data: Form
) -> Response[bytes] | Redirect:
    """Save a part, then go on to the review; or show more rows, or what went wrong with all that was typed."""
    if part in STEPS:
        return take_step(visit, slug, review_id, part, data)
    with visit.site.database.read() as session:
        page = sitting.review_page(session, slug, within(review_id), visit.today)
        people = sitting.people_by_name(session)
    require_part(visit, page.review, part)
    faults: list[forms.DayUnread] = []
    if data.get("more"):
        return form_answer(visit, page, part, data, seen=data.get("seen", ""), more=data["more"])
    try:
        save = saver(visit, page.review, part, data, people, faults)
        require_days(faults)
        with visit.site.database.write() as session:
            save(session)
    except ReviewOvertaken as problem:
        return form_answer(visit, page, part, data, seen=problem.seen, problem=problem)
    except Problem as problem:
        return form_answer(visit, page, part, data, seen=data.get("seen", ""), problem=problem, faults=tuple(faults))
    following = data.get("following", "")
    return see_other(f"/produits/{slug}/revues/{review_id}" + (f"/{following}" if following in PARTS else ""))


def saver(visit: Visit, x: Review, part: str, data: dict[str, str], people: dict[str, int], faults: list[forms.DayUnread]) -> Any:
    """What saves a part, once its fields are read; days that cannot be read are noted in `faults`."""
    person, now, seen = person_of(visit), visit.site.clock.now(), data.get("seen", "")
    match part:
        case "criteres" | "equipe":
            given = forms.read_answers(data, x.criteria.keys)
            save = holding.save_team_view if part == "equipe" else holding.save_answers
            return lambda session: save(session, person, x.slug, x.id, seen, given, now)
        case "comite":
            held_on, planned_on = forms.read_day(data, "held_on", faults), forms.read_day(data, "planned_on", faults)
            seats = forms.read_seats(data, people)
            return lambda session: holding.save_committee(session, person, x.slug, x.id, seen, held_on, planned_on, seats, now)
        case _:
            outcome = forms.read_outcome(data, x.from_stage, faults)
            return lambda session: holding.save_outcome(session, person, x.slug, x.id, seen, outcome, now)


STEPS = frozenset({"criteres-a-jour", "abandon", "remplacement"})
"""Posts that are no part of the form."""


def take_step(visit: Visit, slug: str, review_id: int, step: str, data: dict[str, str]) -> Response[bytes] | Redirect:
    """Take the criteria's new version, give the review up, or open the one that supersedes it."""
    person, now, going_to = person_of(visit), visit.site.clock.now(), within(review_id)
    try:
        with visit.site.database.write() as session:
            match step:
                case "criteres-a-jour":
                    holding.take_new_criteria(session, person, slug, review_id, now)
                case "abandon":
                    holding.give_up(session, person, slug, review_id, without_controls(data.get("reason", "")), now)
                case _:
                    going_to = holding.supersede(session, person, slug, review_id, now, visit.today)
    except Problem as problem:
        return again(visit, slug, review_id, problem)
    return see_other(f"/produits/{slug}/revues/{going_to}")


@get("/produits/{slug:str}/revues/{review_id:int}/signature", permission=Permission.READ, sync_to_thread=True)
def signature(visit: NamedDependency[Visit], slug: FromPath[str], review_id: FromPath[int]) -> Response[bytes]:
    """What is about to be signed, and what it will do."""
    return signature_answer(visit, slug, review_id)


def signature_answer(visit: Visit, slug: str, review_id: int, problem: Problem | None = None) -> Response[bytes]:
    """The signature's page."""
    with visit.site.database.read() as session:
        page = sitting.review_page(session, slug, within(review_id), visit.today)
    x = page.review
    text = render(
        visit, "reviews/signature.html", page=page, x=x, rights=rights(visit, x.product_id, x.draft.committee),
        problem=problem or "", **LABELS,
    )  # fmt: skip
    return private_answer(visit, text, status_of(problem) if problem else 200)


@post("/produits/{slug:str}/revues/{review_id:int}/signature", permission=Permission.READ, sync_to_thread=True)
def sign(visit: NamedDependency[Visit], slug: FromPath[str], review_id: FromPath[int], data: Form) -> Response[bytes] | Redirect:
    """Sign: freeze the review, and carry its decision out. Who may is decided on the review itself."""
    person, now = person_of(visit), visit.site.clock.now()
    try:
        with visit.site.database.write() as session:
            holding.sign(session, person, slug, within(review_id), data.get("seen", ""), now, visit.today)
    except (ReviewOvertaken, NotReady) as problem:
        return signature_answer(visit, slug, review_id, problem)
    except Problem as problem:
        return again(visit, slug, review_id, problem)
    return see_other(f"/produits/{slug}/revues/{review_id}")


@post("/produits/{slug:str}/conditions/{condition_id:int}", permission=Permission.WORK, sync_to_thread=True)
def meet_condition(
    visit: NamedDependency[Visit], slug: FromPath[str], condition_id: FromPath[int], data: Form
) -> Response[bytes] | Redirect:
    """Mark a condition as met, or not met after all."""
    person, now = person_of(visit), visit.site.clock.now()
    with visit.site.database.read() as session:
        review_id = sitting.review_of_condition(session, slug, within(condition_id))
    faults: list[forms.DayUnread] = []
    met_on = None if data.get("reopen") else forms.read_day(data, "met_on", faults) or visit.today
    try:
        require_days(faults)
        with visit.site.database.write() as session:
            conditions.meet_condition(
                session, person, slug, condition_id, met_on, without_controls(data.get("note", "")), now, visit.today
            )
    except Problem as problem:
        return again(visit, slug, review_id, problem, {**data, "condition": str(condition_id)})
    return see_other(f"/produits/{slug}/revues/{review_id}#conditions")


@get("/produits/{slug:str}/revues.ics", permission=Permission.READ, sync_to_thread=True)
def product_calendar(visit: NamedDependency[Visit], slug: FromPath[str]) -> Response[bytes]:
    """The product's review dates and conditions as a calendar."""
    with visit.site.database.read() as session:
        page = sitting.reviews_page(session, slug, visit.today)
        entries = sitting.entries(session, [page.product_id], visit.today)
    return calendar_answer(visit, entries, page.product)


@get("/produits/{slug:str}/revues/{review_id:int}/proces-verbal.json", permission=Permission.READ, sync_to_thread=True)
def record_file(visit: NamedDependency[Visit], slug: FromPath[str], review_id: FromPath[int]) -> Response[bytes]:
    """The frozen record, byte for byte as it was hashed."""
    with visit.site.database.read() as session:
        found = review(session, slug, within(review_id))
    if found.record is None:
        raise not_there(str(review_id))
    headers = {"Content-Disposition": f'attachment; filename="revue-{review_id}.json"'}
    return Response(holding.record_text(found.record).encode(), media_type="application/json", headers=headers)


routes = [
    reviews, open_review, one_review, signature, sign, part_form, save_part, meet_condition, product_calendar, record_file,
]  # fmt: skip
