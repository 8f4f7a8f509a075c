"""The catalogue to be looked through: search, filters, and what the comparison charts are drawn from.

Segment's three charts compare destinations by methods, by connection modes and by category (spec §8.1).
Everything here is told from the definitions' `Listing`.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from onward.destinations.definition import EVENT_TYPES, Definition, Listing

METHODS = ("track", "page", "screen", "identify", "group", "alias")
"""The columns of the methods chart."""
KINDS = ("event_stream", "storage", "reverse_etl")
MODES = ("cloud", "device")
DEVICES = ("web", "mobile", "server")
SOURCES = (*DEVICES, "warehouse")

NO_CATEGORY = "Other"

assert set(METHODS) == set(EVENT_TYPES)


class QueryError(ValueError):
    """A filter has a value that it can't have; `name` is the filter's."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is looked for; an empty filter takes everything, and several must all hold."""

    search: str = ""
    """Words, all of which must occur in what is written about a destination."""
    category: str = ""
    method: str = ""
    mode: str = ""
    """`cloud` or `device`; with `source` the mode that such sources can reach it in."""
    kind: str = ""
    source: str = ""

    @property
    def given(self) -> dict[str, str]:
        """The filters that are not empty."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name))}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A destination in short."""

    slug: str
    id: str
    name: str
    description: str
    listing: Listing
    native: bool
    actions: int
    batches: bool
    """Whether any of its actions takes several events in a request."""
    bulk: bool
    """Whether any of its actions can have bulk batches."""
    text: str
    """All that is written about it, in small letters."""

    @property
    def categories(self) -> Sequence[str]:
        return self.listing.categories or (NO_CATEGORY,)


class Directory:
    """The destinations of a catalogue by name. What it knows of them is read when it is first asked."""

    def __init__(self, catalogue: Mapping[str, Definition]) -> None:
        self._catalogue = catalogue

    @cached_property
    def entries(self) -> Sequence[Entry]:
        entries = (_entry(definition) for definition in self._catalogue.values())
        return sorted(entries, key=lambda entry: (entry.name.casefold(), entry.slug))

    @cached_property
    def categories(self) -> Sequence[str]:
        return sorted({category for entry in self.entries for category in entry.categories})

    @cached_property
    def _slugs(self) -> Mapping[str, str]:
        return {entry.id: entry.slug for entry in self.entries}

    def slug(self, key: str) -> str | None:
        """The slug of a destination that is named by its slug or its metadata id."""
        return key if key in self._catalogue else self._slugs.get(key)

    def find(self, query: Query) -> Sequence[Entry]:
        """What meets all of a query: the best matches of its words first, then by name.

        Raises `QueryError`.
        """
        self._check(query)
        found = [entry for entry in self.entries if _meets(entry, query)]
        wanted = query.search.lower().split()
        return sorted(found, key=lambda entry: _rank(entry, wanted)) if wanted else found

    def _check(self, query: Query) -> None:
        categories = {category.casefold(): category for category in self.categories}
        if query.category and query.category.casefold() not in categories:
            raise QueryError("category", f"there is no category {query.category}; {_listed(self.categories)}")
        for name, value, known in (
            ("method", query.method, METHODS),
            ("mode", query.mode, MODES),
            ("kind", query.kind, KINDS),
            ("source", query.source, SOURCES),
        ):
            if value and value not in known:
                raise QueryError(name, f"there is no {name} {value}; {_listed(known)}")


def by_category(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The category chart: categories in order, and their destinations in the order given."""
    chart: dict[str, list[Entry]] = {}
    for entry in entries:
        for category in entry.categories:
            chart.setdefault(category, []).append(entry)
    return dict(sorted(chart.items()))


def facets(entries: Iterable[Entry]) -> dict[str, dict[str, int]]:
    """How many destinations each value of each filter has."""
    counts: dict[str, Counter[str]] = {
        "category": Counter(),
        "method": Counter(dict.fromkeys(METHODS, 0)),
        "mode": Counter(dict.fromkeys(MODES, 0)),
        "kind": Counter(dict.fromkeys(KINDS, 0)),
        "source": Counter(dict.fromkeys(SOURCES, 0)),
    }
    for entry in entries:
        counts["category"].update(entry.categories)
        counts["method"].update(entry.listing.methods)
        counts["mode"].update(mode for mode in MODES if _reached(entry.listing, mode, ""))
        counts["kind"][entry.listing.kind] += 1
        counts["source"].update(entry.listing.sources)
    return {name: dict(count) for name, count in counts.items()} | {
        "category": dict(sorted(counts["category"].items()))
    }


def connection_modes(listing: Listing) -> dict[str, dict[str, bool]]:
    """`{"cloud": {"web": …, "mobile": …, "server": …}, "device": …}`."""
    return {
        "cloud": {name: name in listing.cloud for name in DEVICES},
        "device": {name: name in listing.device for name in DEVICES},
    }


def _entry(definition: Definition) -> Entry:
    actions = definition.actions.values()
    return Entry(
        slug=definition.slug,
        id=definition.id,
        name=definition.name,
        description=definition.description,
        listing=definition.listing,
        native=definition.native,
        actions=len(definition.actions),
        batches=any(action.batches for action in actions),
        bulk=any(action.bulk_from is not None for action in actions),
        text=_text(definition),
    )


def _text(definition: Definition) -> str:
    parts: list[Any] = [definition.name, definition.slug, definition.id, definition.description]
    parts += [*definition.previous_names, *definition.listing.categories]
    for action in definition.actions.values():
        parts += [action.slug, action.title, action.description]
    return "\n".join(parts).lower()


def _meets(entry: Entry, query: Query) -> bool:
    listing = entry.listing
    return (
        (not query.category or query.category.casefold() in {each.casefold() for each in entry.categories})
        and (not query.method or query.method in listing.methods)
        and (not query.kind or query.kind == listing.kind)
        and (not query.source or bool(query.mode) or query.source in listing.sources)
        and (not query.mode or _reached(listing, query.mode, query.source))
        and all(word in entry.text for word in query.search.lower().split())
    )


def _reached(listing: Listing, mode: str, source: str) -> bool:
    """Whether a mode reaches it, from a kind of source or from any. Warehouses have the cloud mode alone."""
    reached = listing.cloud if mode == "cloud" else listing.device
    if mode == "cloud" and "warehouse" in listing.sources:
        reached = reached | {"warehouse"}
    return source in reached if source else bool(reached)


def _rank(entry: Entry, words: Sequence[str]) -> int:
    """0 for the name itself, 1 for how it begins, 2 for words of the name, 3 for all else."""
    name, text = entry.name.lower(), " ".join(words)
    if text in (name, entry.slug):
        return 0
    if name.startswith(text) or entry.slug.removeprefix("actions-").startswith(text):
        return 1
    return 2 if all(word in f"{name} {entry.slug}" for word in words) else 3


def _listed(values: Iterable[str]) -> str:
    return f"there are: {', '.join(values)}"
