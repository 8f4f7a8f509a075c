"""The commands' client of the Public API: where it is, what it says, and things by their names."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from cyclopts import Parameter

from onward.commands.common import CommandError

Json = dict[str, Any]

PATIENCE = 120.0
"""Seconds for one answer: a tester may be at it for a minute."""


class NotFoundError(CommandError):
    """There is no such thing."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Api:
    """Which server, and in whose name."""

    url: Annotated[str, Parameter(help="Where Onward listens.", env_var="ONWARD_URL")] = (
        "http://127.0.0.1:8080"
    )
    token: Annotated[
        str, Parameter(help="A Public API token.", env_var="ONWARD_TOKEN", show_default=False)
    ] = ""

    # Every method raises `CommandError` with what the API says.

    def get(self, path: str, **query: object) -> Json:
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Json:
        return self._ask("POST", path, body or {})

    def patch(self, path: str, body: Mapping[str, Any]) -> Json:
        return self._ask("PATCH", path, body)

    def delete(self, path: str) -> Json:
        return self._ask("DELETE", path)

    def all(self, path: str, name: str) -> Iterator[Json]:
        """The items of all pages of a list."""
        query: dict[str, object] = {"pagination.count": 200}
        while True:
            page = self.get(path, **query)
            yield from page[name]
            following = page["pagination"].get("next")
            if following is None:
                return
            query["pagination.cursor"] = following

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        # Imported late: most commands never ask, and all of them start.
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError
        from urllib.request import ProxyHandler, Request, build_opener

        if not self.token:
            raise CommandError(
                "no token: set ONWARD_TOKEN or give --token; the server shows one on its first start"
            )
        try:
            request = Request(  # noqa: S310 (what is no HTTP address is refused by the opener's handlers)
                f"{self.url.rstrip('/')}/api{path}",
                None if body is None else json.dumps(body).encode(),
                {"authorization": f"Bearer {self.token}", "content-type": "application/json"},
                method=method,
            )
            if request.type not in ("http", "https"):
                raise ValueError("it must begin with http:// or https://")
            with build_opener(ProxyHandler({})).open(request, timeout=PATIENCE) as response:
                return dict(json.load(response)["data"])
        except HTTPError as error:
            with error:
                kind = NotFoundError if error.code == 404 else CommandError
                raise kind(self._told(error.code, error.read())) from None
        except ValueError as error:
            raise CommandError(f"--url {self.url}: {error}") from None
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            raise CommandError(
                f"no answer from {self.url} ({getattr(reason, 'strerror', None) or reason}); start Onward "
                "with `onward serve`, or name another with --url or ONWARD_URL"
            ) from None

    def _told(self, status: int, body: bytes) -> str:
        if status == 401:
            return f"{self.url} does not know this token; set ONWARD_TOKEN or give --token"
        try:
            problems = json.loads(body)["errors"]
        except (ValueError, KeyError, TypeError):
            return f"{self.url} answered {status}, and is perhaps not Onward"
        return "; ".join(
            f"{each['field']}: {each['message']}" if each.get("field") else each["message"]
            for each in problems
        )

    # Things by id or by name

    def source(self, key: str | None) -> Json:
        """By slug, id or name; without a key the only one."""
        sources = list(self.all("/sources", "sources"))
        if key is None:
            if len(sources) == 1:
                return sources[0]
            raise CommandError(f"there are {len(sources)} sources; name one with --source")
        return only("source", key, sources, "`onward sources list` has all", "id", "slug", "name")

    def destination(self, key: str) -> Json:
        """By id, by name, or by `source/name`."""
        found = list(self.all("/destinations", "destinations"))
        if "/" in key:
            slugs = {each["id"]: each["slug"] for each in self.all("/sources", "sources")}
            for each in found:
                each["path"] = f"{slugs.get(each['sourceId'])}/{each['name']}"
        hint = "`onward destinations list` has all"
        one = only("destination", key, found, hint, "id", "name", "path")
        one.pop("path", None)
        return one

    def mapping(self, destination: Json, key: str) -> Json:
        """By id or by name."""
        found = list(self.all(f"{path(destination)}/subscriptions", "subscriptions"))
        return only(
            "mapping", key, found, f"`onward mappings list {destination['id']}` has all", "id", "name"
        )

    def definition(self, slug: str) -> Json:
        """The catalogue's entry, by slug or id."""
        try:
            return dict(self.get(f"/catalog/destinations/{segment(slug)}")["destinationMetadata"])
        except NotFoundError as error:
            raise CommandError(
                f"{error}; `onward catalog list --search {slug}` shows what there is"
            ) from None


def segment(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


def path(destination: Json, mapping: Json | None = None) -> str:
    """Where a destination is in the API, or one of its mappings."""
    at = f"/destinations/{destination['id']}"
    return f"{at}/subscriptions/{mapping['id']}" if mapping else at


def only(what: str, key: str, items: Sequence[Json], hint: str, *names: str) -> Json:
    """The one that is called so: by the first of `names` that fits any; raises `CommandError`."""
    for name in names:
        found = [item for item in items if item.get(name) == key]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(item["id"] for item in found)
            raise CommandError(f"{len(found)} {what}s are called {key}; name one by its id: {ids}")
    raise CommandError(f"there is no {what} {key}; {hint}")
