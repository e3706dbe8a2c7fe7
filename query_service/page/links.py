"""Addresses: every state of the page is a URL, and a link changes a part of it and keeps the rest.

Next: query_service.page.report_page
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

Pairs = tuple[tuple[str, str], ...]

# Where a page of rows ended; whatever else changes, it is the first page again.
_PLACE = "cursor"


@dataclass(frozen=True)
class Address:
    """A path of the service, below the one that it is served under (`root`), and its query."""

    root: str
    path: str
    pairs: Pairs = ()

    @classmethod
    def of(cls, text: str, root: str = "") -> "Address":
        """The address that is written in `text`."""
        parts = urlsplit(text)
        pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return cls(root, unquote(parts.path).removeprefix(root), pairs)

    def __str__(self) -> str:
        query = f"?{urlencode(self.pairs)}" if self.pairs else ""
        path = f"{self.root}{quote(self.path)}"
        # What begins with two of them is another host's.
        return f"/{path.lstrip('/')}{query}" if path.startswith("//") else path + query

    def values(self, name: str) -> tuple[str, ...]:
        """What is given under a name."""
        return tuple(value for given, value in self.pairs if given == name)

    def value(self, name: str, default: str = "") -> str:
        """The first of them."""
        return next(iter(self.values(name)), default)

    def having(self, **given: str | Iterable[str]) -> "Address":
        """The same with these values in place of others; an empty one is left out.

        A name that Python keeps for itself has an underscore behind it here: from_.
        """
        wanted = {name.rstrip("_"): value for name, value in given.items()}
        kept = [(n, v) for n, v in self.pairs if n not in wanted and n != _PLACE]
        for name, value in wanted.items():
            values = [value] if isinstance(value, str) else value
            kept += [(name, each) for each in values if each]
        return replace(self, pairs=tuple(kept))

    def lacking(self, name: str, value: str | None = None) -> "Address":
        """The same without a name, or without one of its values."""
        return replace(
            self,
            pairs=tuple(
                (n, v)
                for n, v in self.pairs
                if n != _PLACE and not (n == name and value in (None, v))
            ),
        )

    def only(self, names: Iterable[str]) -> "Address":
        """The same with these names alone."""
        wanted = set(names)
        return replace(self, pairs=tuple(pair for pair in self.pairs if pair[0] in wanted))

    def inside(self, wanted: str) -> str:
        """`wanted` if it is an address of ours, whoever wrote it; else the report's."""
        ours = f"{self.root}/"
        is_ours = wanted.startswith(ours) and not wanted.startswith("//") and "\\" not in wanted
        # Browsers resolve these, quoted as well: beside us may be another application.
        steps = unquote(urlsplit(wanted).path).split("/") if is_ours else ()
        is_ours = is_ours and wanted.isprintable() and not {".", ".."}.intersection(steps)
        return wanted if is_ours else ours

    def at(self, path: str) -> "Address":
        """Another path with the same query."""
        return replace(self, path=path)
