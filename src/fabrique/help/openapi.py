"""The API's description (OpenAPI 3.1), made from the routes themselves, so that it cannot say otherwise than they do.

Litestar tells addresses, parameters and what is answered; added here is what fabrique decides: who may (`permission=` and `scope=`
of each route) and how a refusal looks (web/errors.py).
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from litestar import Router
from litestar.enums import MediaType
from litestar.exceptions import NotFoundException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.routes import HTTPRoute

from fabrique import __version__
from fabrique.accounts.middleware import session_cookie
from fabrique.accounts.rules import Permission, TokenScope
from fabrique.language import n_

if TYPE_CHECKING:
    from collections.abc import Iterator

    from litestar import Litestar, Request, Response
    from litestar.handlers import HTTPRouteHandler

ADDRESS = "/schema"
ABOUT = n_(
    "What fabrique knows, for programs. They bring a token in the header “Authorization: Bearer …”; what is read, "
    "a signed-in browser opens as well. Refusals are problem documents (RFC 9457)."
)
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": n_("Always about:blank: the status says it.")},
        "title": {"type": "string", "description": n_("What kind of refusal it is, in the language asked for.")},
        "status": {"type": "integer", "description": n_("The status of the answer, again.")},
        "detail": {"type": "string", "description": n_("What is wrong, in one sentence.")},
        "errors": {
            "type": "array",
            "items": {"type": "string"},
            "description": n_("Each fault by itself, where there are several."),
        },
    },
}
REFUSALS = {
    "401": n_("No token, or one that is not valid any more."),
    "403": n_("The token does not have the scope, or belongs to another product."),
    "404": n_("There is nothing of that name."),
    "413": n_("The body is larger than a million bytes."),
    "422": n_("A parameter or the body cannot be read as described."),
}
DONE = n_("What was asked for.")
NAMES = {"401": "Unauthorized", "403": "Forbidden", "404": "NotFound", "413": "TooLarge", "422": "Unreadable"}


class Described(JsonRenderPlugin):
    """Serves the completed description, written once."""

    def __init__(self) -> None:
        super().__init__(path=["/", "/openapi.json"], media_type=MediaType.JSON)
        self._written: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002 - Litestar's own, not complete
        """The description's bytes."""
        if self._written is None:
            self._written = self.render_json(request, document(request.app))
        return self._written


def config() -> OpenAPIConfig:
    """What Litestar is told: no page of its own (they load scripts from elsewhere), names that stay, docstrings as texts."""
    router = Router(
        ADDRESS,
        route_handlers=[],
        include_in_schema=False,
        opt={"permission": Permission.PUBLIC, "no_visit": True},
        after_request=own_page_for_what_is_not_there,
    )
    return OpenAPIConfig(
        title="Fabrique",
        version=__version__,
        description=ABOUT,
        use_handler_docstrings=True,
        operation_id_creator=lambda handler, _method, _path: handler.handler_name,
        render_plugins=[Described()],
        openapi_router=router,
    )


def own_page_for_what_is_not_there(response: Response[Any]) -> Response[Any]:
    """Litestar's answer to /schema/anything, in place of which ours is given."""
    if response.status_code == 404:  # noqa: PLR2004 - Not Found
        raise NotFoundException
    return response


def document(app: Litestar) -> dict[str, Any]:
    """The whole description of an app."""
    made: dict[str, Any] = copy.deepcopy(app.openapi_schema.to_schema())
    cookie = session_cookie(app.state.site)
    made["components"]["schemas"]["Problem"] = PROBLEM
    made["components"]["responses"] = {NAMES[status]: refusal(status) for status in REFUSALS}
    made["components"]["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": n_("A token, made by “fabrique token”; it has scopes and an end."),
        },
        "session": {"type": "apiKey", "in": "cookie", "name": cookie, "description": n_("The session of somebody signed in.")},
    }
    for path, method, handler in described_routes(app):
        complete(made["paths"][path][method], handler, path)
    return made


def described_routes(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Path, method and handler of what is described."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for method, (handler, _how) in route.route_handler_map.items():
            if handler.resolve_include_in_schema():
                yield route.path_format, method.lower(), handler


def refusal(status: str) -> dict[str, Any]:
    """A shared answer: the problem document of a status."""
    made: dict[str, Any] = {
        "description": REFUSALS[status],
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == "401":
        made["headers"] = {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}}}
    return made


def complete(operation: dict[str, Any], handler: HTTPRouteHandler, path: str) -> None:
    """Who may, how refusals look, and what an operation belongs to."""
    operation["tags"] = [path.split("/")[2]]
    scope = scope_of(handler)
    operation["security"] = [{"token": [str(scope)] if scope else []}]
    if handler.opt["permission"] is Permission.READ_API:
        operation["security"].append({"session": []})
    operation["responses"].pop("400", None)  # Litestar's guess: fabrique answers 422
    for answer in operation["responses"].values():
        answer["description"] = DONE  # HTTP's own words say less
    statuses = ["401", "403", *(["404"] if "{" in path else []), *(["413"] if "requestBody" in operation else [])]
    statuses += ["422"] if "requestBody" in operation or operation.get("parameters") else []
    operation["responses"] |= {status: {"$ref": f"#/components/responses/{NAMES[status]}"} for status in statuses}


def scope_of(handler: HTTPRouteHandler) -> TokenScope | None:
    """The scope that a token needs there."""
    if handler.opt["permission"] is Permission.READ_API:
        return TokenScope.READ
    scope = handler.opt.get("scope")
    return scope if isinstance(scope, TokenScope) else None
