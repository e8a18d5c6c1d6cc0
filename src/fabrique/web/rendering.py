"""Templates to pages. One Jinja environment; undefined names are errors; every text goes through the catalogues."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import jinja2
from litestar import Response
from litestar.response import Redirect
from markupsafe import Markup

from fabrique import language
from fabrique.resources import resource
from fabrique.web import formats
from fabrique.web.visit import NONCE_MARK, SCHEMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from fabrique.web.visit import Visit

HTML = "text/html"


@cache
def environment() -> jinja2.Environment:
    """The environment that every template shares."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resource("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        auto_reload=False,
    )
    made.install_gettext_callables(  # type: ignore[attr-defined] # added by the i18n extension
        _marked, _marked_plural, newstyle=False
    )
    made.globals.update(formats=formats, nonce=NONCE_MARK, schemes=SCHEMES, languages=language.LANGUAGES, isnan=math.isnan)
    return made


def _marked(message: str, **values: object) -> str:
    """A sentence for a page: values are escaped unless they are markup already; the catalogue's own text is trusted."""
    text = language._(message)
    return Markup(text) % values if values else text  # noqa: S704


def _marked_plural(singular: str, plural: str, number: int, **values: object) -> str:
    text = language.translations(language.current.get()).ngettext(singular, plural, number)
    return Markup(text) % {"num": number, **values}  # noqa: S704


def render(visit: Visit, template: str, **context: object) -> str:
    """The template's text, in the language of the visit."""
    with language.speaking(visit.language):
        return environment().get_template(template).render(visit=visit, **context)


def answer(visit: Visit, make: Callable[[Session], str]) -> Response[bytes]:
    """A page that may be kept by its reader's browser and asked about with its ETag."""
    return Response(visit.page(make), media_type=HTML, headers={"ETag": visit.etag, **FRESH})


def private_answer(visit: Visit, text: str, status_code: int = 200) -> Response[bytes]:
    """A page that nobody keeps: a form with something in it, an error."""
    body = text.replace(NONCE_MARK, visit.nonce).encode()
    return Response(body, media_type=HTML, status_code=status_code, headers={"Cache-Control": "no-store"})


FRESH = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Accept-Language, HX-Request"}


def see_other(address: str) -> Redirect:
    """Where to go after a form."""
    return Redirect(address, status_code=303)
