"""What goes wrong, as pages: one table from exceptions to a status, a title and what to do next."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from litestar import Response
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotAuthorizedException,
    NotFoundException,
    PermissionDeniedException,
    ValidationException,
)

from fabrique.database import DatabaseOutdated, DatabaseUnavailable
from fabrique.language import Problem, _, n_, speaking
from fabrique.web.rendering import private_answer, render
from fabrique.web.visit import Visit, visit_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fabrique.web.visit import AnyRequest

log = logging.getLogger("fabrique.web")


class NotThere(Problem):
    """The object that an address names does not exist."""


class NotAllowed(Problem):
    """The person may not do this to that."""


class Overtaken(Problem):
    """Somebody else changed the object meanwhile."""


TITLES = {
    403: n_("You may not do this"),
    404: n_("This page does not exist"),
    405: n_("This address cannot be used that way"),
    409: n_("Somebody else was faster"),
    413: n_("What was sent is too large"),
    422: n_("Something in the address or the form is not right"),
    500: n_("Something broke on our side"),
    503: n_("The database does not answer"),
}
ADVICE = {
    403: n_("Go back and try again from the page itself; if you need this right, ask your coach or an administrator."),
    404: n_("Check the address, or start again from a list."),
    405: n_("Go back and use the page's own buttons."),
    409: n_("Reload the page to see what changed, then do it again."),
    413: n_("Send less at once; whole files of figures come in by the command line."),
    422: n_("Correct it and try again."),
    500: n_("The fault has been noted. Try again in a moment; nothing you had saved is lost."),
    503: n_("Try again in a minute. Nothing is lost; the watch catches up by itself."),
}

STATUS: list[tuple[type[Exception], int]] = [
    (DatabaseUnavailable, 503),
    (DatabaseOutdated, 503),
    (NotThere, 404),
    (NotAllowed, 403),
    (Overtaken, 409),
    (Problem, 422),
    (NotFoundException, 404),
    (MethodNotAllowedException, 405),
    (PermissionDeniedException, 403),
    (NotAuthorizedException, 403),
    (ValidationException, 422),
    (RecursionError, 422),  # a body nested ten thousand times: JSON nobody means
]


def status_of(error: Exception) -> int:
    """The status that an exception is answered with."""
    for kind, status in STATUS:
        if isinstance(error, kind):
            return status
    if isinstance(error, HTTPException):
        return 422 if error.status_code in {400, 414} else error.status_code
    return 500


def error_page(
    plain_visit: Callable[[AnyRequest], Visit],
) -> Callable[[AnyRequest, Exception], Response[bytes]]:
    """The handler of every exception. `plain_visit` makes a visit where the middleware could not."""

    def handle(request: AnyRequest, error: Exception) -> Response[bytes]:
        status = status_of(error)
        if status == 500:  # noqa: PLR2004 - ours to mend: keep the trace in the log, never on the page
            log.error("unhandled error on %s", request.scope["path"], exc_info=error)
        visit = visit_of(request) or plain_visit(request)
        if visit.path.startswith(API):
            return problem_document(error, status, visit.language)
        with speaking(visit.language):
            details = str(error) if isinstance(error, Problem) and status != 503 else ""  # noqa: PLR2004 - no addresses
        text = render(
            visit,
            "layout/error.html",
            status=status,
            title=TITLES.get(status, TITLES[500]),
            advice=ADVICE.get(status, ADVICE[500]),
            details=details,
        )
        answer = private_answer(visit, text, status)
        if status == 503:  # noqa: PLR2004 - Service Unavailable
            answer.headers["Retry-After"] = "30"
        return answer

    return handle


NOT_JSON = n_("The body is not the JSON that this address expects.")
NOT_A_VALUE = n_("What the address says of %(names)s cannot be read.")
API = "/api/"
UNAUTHORIZED = 401


def problem_document(error: Exception, status: int, language: str) -> Response[bytes]:
    """The same for programs (RFC 9457): a title, what is wrong, and each fault where there are several."""
    with speaking(language):
        document: dict[str, object] = {"type": "about:blank", "title": _(TITLES.get(status, TITLES[500])), "status": status}
        if isinstance(error, NotAuthorizedException):
            document["status"] = status = UNAUTHORIZED
        details, faults = told_to_programs(error, status)
        document |= {"detail": details} if details else {}
        document |= {"errors": faults} if faults else {}
    headers = {"WWW-Authenticate": "Bearer"} if status == UNAUTHORIZED else {}
    body = json.dumps(document, ensure_ascii=False).encode()
    return Response(body, media_type="application/problem+json", status_code=status, headers=headers)


def told_to_programs(error: Exception, status: int) -> tuple[str, list[str]]:
    """What is wrong in one sentence, and each fault by itself."""
    if status >= 500:  # noqa: PLR2004 - ours: no addresses, no traces
        return "", []
    if isinstance(error, Problem):
        return str(error), [str(one) for one in getattr(error, "faults", None) or ()]
    if isinstance(error, ValidationException) and (faults := misread(error)):
        in_body = any(one.get("source") == "body" for one in faults)
        names = ", ".join(dict.fromkeys(one.get("key", "") for one in faults))
        details = _(NOT_JSON) if in_body else _(NOT_A_VALUE, names=names)
        return details, [f"{one.get('key', '')}: {one.get('message', '')}" for one in faults]
    if isinstance(error, RecursionError) or type(error) in {ValidationException, ClientException}:
        return _(NOT_JSON), []
    return (_(str(error.detail)), []) if isinstance(error, HTTPException) else ("", [])


def misread(error: ValidationException) -> list[dict[str, str]]:
    """What Litestar could not read, each with its key, its source and why."""
    return [one for one in error.extra if isinstance(one, dict)] if isinstance(error.extra, list) else []


def not_there(what: str) -> NotThere:
    """The exception for an object that an address names in vain."""
    return NotThere(n_("There is nothing called “%(what)s” here."), what=what[:80])
