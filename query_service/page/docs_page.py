"""What can be asked over HTTP, for people: the OpenAPI document, part by part.

Next: query_service.params
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} long",
    "maxLength": "at most {} long",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
}
# The limit that every text and list has anyway.
_AT_LEAST_ONE = {"minLength", "minItems"}


@dataclass(frozen=True)
class Input:
    """What a request may carry: a parameter of its address, or a field of its body."""

    name: str
    place: str
    needed: bool
    kind: str
    about: str


@dataclass(frozen=True)
class Answer:
    """An answer that may come: its status, what it means, and in which form it is."""

    status: str
    about: str
    forms: tuple[str, ...]


@dataclass(frozen=True)
class Operation:
    """A method of an address."""

    method: str
    path: str
    about: tuple[str, ...]
    inputs: tuple[Input, ...]
    answers: tuple[Answer, ...]


def parts(document: Schema) -> dict[str, list[Operation]]:
    """Every operation of the document under the name of its part, in the document's order."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            name = next(iter(said.get("tags", ())), "others")
            found.setdefault(name, []).append(_operation(document, method.upper(), path, said))
    return found


def _operation(document: Schema, method: str, path: str, said: Schema) -> Operation:
    told = said.get("description") or said.get("summary", "")
    return Operation(
        method=method,
        path=path,
        about=tuple(" ".join(each.split()) for each in told.split("\n\n")),
        inputs=(*_parameters(document, said), *_body(document, said)),
        answers=tuple(
            Answer(status, answer["description"], tuple(answer.get("content", ())))
            for status, answer in said["responses"].items()
        ),
    )


def _parameters(document: Schema, said: Schema) -> Iterator[Input]:
    for each in said.get("parameters", ()):
        yield Input(
            each["name"],
            each["in"],
            bool(each.get("required")),
            kind(document, each["schema"]),
            each.get("description", ""),
        )


def _body(document: Schema, said: Schema) -> Iterator[Input]:
    """The fields of a body, or what it is if it has none; a body of several forms is told once."""
    for form, content in said.get("requestBody", {}).get("content", {}).items():
        schema = _named(document, content.get("schema", {}))
        fields = schema.get("properties", {})
        for name, field in fields.items():
            needed = name in schema.get("required", ())
            yield Input(name, "body", needed, kind(document, field), field.get("description", ""))
        if not fields:
            yield Input(form, "body", True, kind(document, schema), schema.get("description", ""))


def kind(document: Schema, schema: Schema) -> str:
    """What a value is, in a few words: its type, the values there are, its limits."""
    schema = _named(document, schema)
    either = schema.get("anyOf") or schema.get("oneOf")
    if either:
        return " or ".join(kind(document, each) for each in either)
    if "enum" in schema or "const" in schema:
        return ", ".join(str(each) for each in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return _limited(schema, f"list of {kind(document, schema.get('items', {}))}")
    types = schema.get("type", "any value")
    return _limited(schema, types if isinstance(types, str) else " or ".join(types))


def _limited(schema: Schema, text: str) -> str:
    limits = [
        told.format(f"{schema[name]:g}")
        for name, told in _LIMITS.items()
        if name in schema and not (name in _AT_LEAST_ONE and schema[name] == 1)
    ]
    return f"{text} ({', '.join(limits)})" if limits else text


def _named(document: Schema, schema: Schema) -> Schema:
    """The schema itself where another one is named."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Schema = document["components"]["schemas"][reference.rpartition("/")[2]]
    return found
