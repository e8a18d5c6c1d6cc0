"""The API's description laid out for a page: an operation with its parameters, what it answers, and a line to try it with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fabrique.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a document."""

    name: str
    kind: str
    """Its type in words that JSON has."""
    refers: str
    """The name of the document that it holds; empty for none."""
    choices: tuple[str, ...]
    needed: bool
    description: str
    where: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What may come back."""

    status: str
    description: str
    refers: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a program can ask for."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    scopes: tuple[str, ...]
    session: bool
    """Whether a signed-in browser opens it as well."""
    parameters: tuple[Field, ...]
    body: str
    """The name of the document that is sent; empty for none."""
    answers: tuple[Answer, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Shape:
    """A document by its fields."""

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything about the API."""

    about: str
    operations: tuple[Operation, ...]
    shapes: tuple[Shape, ...]


def reference(document: Document, site: str) -> Reference:
    """The description for a page. `site` is where the API is reached."""
    operations = [
        operation(document, method, path, told, site.rstrip("/"))
        for path, item in sorted(document["paths"].items())
        for method, told in sorted(item.items())
    ]
    shapes = [
        Shape(name, tuple(fields_of(document, shape)))
        for name, shape in sorted(document["components"]["schemas"].items())
        if shape.get("properties")
    ]
    return Reference(said(document["info"]), tuple(operations), tuple(shapes))


def said(told: Document, key: str = "description") -> str:
    """A text of the description in the reader's language; the description itself speaks English."""
    text = told.get(key, "")
    return _(text) if text else ""


def operation(document: Document, method: str, path: str, told: Document, site: str) -> Operation:
    """One operation."""
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=said(told, "summary"),
        description=said(told),
        scopes=tuple(scope for way in told["security"] for scope in way.get("token", ())),
        session=any("session" in way for way in told["security"]),
        parameters=tuple(parameter(document, one) for one in told.get("parameters", ())),
        body=kind_of(document, body_of(told))[1],
        answers=tuple(answers_of(document, told["responses"])),
        curl=curl(method, path, told, site),
    )


def parameter(document: Document, told: Document) -> Field:
    """One parameter; the values of a choice are told with it."""
    schema = told["schema"]
    kind, refers, choices = kind_of(document, schema)
    named = document["components"]["schemas"].get(refers, {})
    default = schema.get("default")
    return Field(
        told["name"], named.get("type", kind), "", choices or tuple(named.get("enum", ())), told.get("required", False),
        said(told), told["in"], "" if default is None else str(default),
    )  # fmt: skip


def fields_of(document: Document, shape: Document) -> Iterator[Field]:
    """The fields of a document, those always there first."""
    needed = set(shape.get("required", ()))
    for name, schema in shape["properties"].items():
        kind, refers, choices = kind_of(document, schema)
        yield Field(name, kind, refers, choices, name in needed, said(schema))


def kind_of(document: Document, schema: Document) -> tuple[str, str, tuple[str, ...]]:
    """A type in words, the document it names, and its choices."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        named = document["components"]["schemas"][name]
        return (named.get("type", "object"), "", tuple(named["enum"])) if "enum" in named else ("object", name, ())
    if alternatives := schema.get("oneOf") or schema.get("allOf") or schema.get("anyOf"):
        found = [kind_of(document, one) for one in alternatives]
        names = [name for _kind, name, _choices in found if name]
        kinds = dict.fromkeys(kind for kind, _name, _choices in found)
        return " | ".join(kinds), names[0] if names else "", tuple(choice for *_rest, choices in found for choice in choices)
    if schema.get("type") == "array":
        kind, name, choices = kind_of(document, schema.get("items", {}))
        return f"array<{kind}>", name, choices
    kind = schema.get("type", "any")
    kind = " | ".join(kind) if isinstance(kind, list) else str(kind)
    return f"{kind} ({schema['format']})" if schema.get("format") else kind, "", tuple(map(str, schema.get("enum", ())))


def answers_of(document: Document, responses: Document) -> Iterator[Answer]:
    """What may come back, by status."""
    for status, answer in sorted(responses.items()):
        shared = answer.get("$ref", "").rpartition("/")[2]
        whole = document["components"]["responses"][shared] if shared else answer
        schema: Document = next((one.get("schema", {}) for one in whole.get("content", {}).values()), {})
        yield Answer(status, said(whole), kind_of(document, schema)[1])


def curl(method: str, path: str, told: Document, site: str) -> str:
    """A line for a terminal, with the examples that the description gives."""
    values = {one["name"]: (one["in"], example_of(one)) for one in told.get("parameters", ())}
    for name, (where, value) in values.items():
        if where == "path" and value is not None:
            path = path.replace(f"{{{name}}}", str(value))
    query = urlencode({name: value for name, (where, value) in values.items() if where == "query" and value is not None})
    parts = ["curl", *([f"-X {method.upper()}"] if method != "get" else []), '-H "Authorization: Bearer $FABRIQUE_TOKEN"']
    if sent := body_of(told).get("examples"):
        text = json.dumps(sent[0], ensure_ascii=False).replace("'", "'\\''")
        parts += ['-H "Content-Type: application/json"', f"-d '{text}'"]
    return " ".join([*parts, f'"{site}{path}{"?" if query else ""}{query}"'])


def body_of(told: Document) -> Document:
    """The schema of what is sent; empty for nothing."""
    found: Document = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    return found


def example_of(told: Document) -> Any:
    """The first example of a parameter; None for none."""
    return next((one.get("value") for one in (told.get("examples") or {}).values()), None)
