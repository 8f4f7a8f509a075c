"""The web app's files, as `tools/web.py` has built them: served from memory by the web process.

Files whose names hold a digest never change, and browsers keep them for good; the page itself is asked for
again each time. Any other address that a browser opens is one of the app's pages, which it finds by itself.

A build that replaces the files is served from the next start on, so that a page never gets parts of two.
Where nothing was built there is no web app, and the landing page says how to get it.
"""

from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Self

Headers = list[tuple[bytes, bytes]]

TYPES = {
    "html": b"text/html; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "svg": b"image/svg+xml",
    "json": b"application/json",
    "woff2": b"font/woff2",
    "wasm": b"application/wasm",
}
ENCODINGS = ((b"br", "br"), (b"gzip", "gz"))
"""`(name, suffix of the file)`, the smallest first."""
PAGE = "/index.html"
ENTRIES = ("/", "/invite")
"""Answered with the page whoever asks."""
LASTING = "/assets/"
STAMP = "built"

POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
    b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Scripts only from files of ours. Styles also inline: components measure and place things by them."""
SECURITY: Headers = [
    (b"content-security-policy", POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]


@dataclass(frozen=True)
class File:
    kind: bytes
    variants: dict[bytes, bytes]
    """Content by encoding; b"" is the file as it is."""

    def accepted(self, encodings: bytes) -> tuple[bytes, bytes]:
        """`(encoding, content)`, the smallest that the request's Accept-Encoding allows."""
        wanted = {
            name.strip()
            for name, _, weight in (each.partition(b";") for each in encodings.lower().split(b","))
            if weight.replace(b" ", b"") not in (b"q=0", b"q=0.0")
        }
        return next(
            ((name, self.variants[name]) for name, _ in ENCODINGS if name in wanted & self.variants.keys()),
            (b"", self.variants[b""]),
        )


class WebApp:
    def __init__(self, found: dict[str, File]) -> None:
        self._files = found

    @classmethod
    def open(cls) -> Self | None:
        """None if it was not built."""
        folder = files("onward").joinpath("built")
        if not folder.joinpath(STAMP).is_file():
            return None
        contents = dict(_contents(folder, "/"))
        return cls(
            {
                path: File(kind, {b"": content} | _encoded(contents, path))
                for path, content in contents.items()
                if (kind := TYPES.get(path.rpartition(".")[2])) is not None
            }
        )

    def answer(self, path: str, headers: Headers) -> tuple[Headers, bytes] | None:
        """`(headers, body)` of a file, or of the page where a browser asks for one; None if it is neither."""
        asked = dict(headers)
        if path not in self._files:
            browsed = path in ENTRIES or b"text/html" in asked.get(b"accept", b"")
            if path.startswith(LASTING) or not browsed:
                return None
            path = PAGE
        file = self._files[path]
        encoding, body = file.accepted(asked.get(b"accept-encoding", b""))
        lasting = path.startswith(LASTING)
        cache = b"public, max-age=31536000, immutable" if lasting else b"no-cache"
        return [
            (b"content-type", file.kind),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", cache),
            (b"vary", b"accept, accept-encoding"),
            *([(b"content-encoding", encoding)] if encoding else []),
            *SECURITY,
        ], body


def _contents(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _contents(each, f"{path}{each.name}/")
        elif each.is_file():
            found.append((path + each.name, each.read_bytes()))
    return found


def _encoded(contents: dict[str, bytes], path: str) -> dict[bytes, bytes]:
    return {
        name: contents[f"{path}.{suffix}"] for name, suffix in ENCODINGS if f"{path}.{suffix}" in contents
    }
