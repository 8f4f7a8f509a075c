"""What can be wrong with a change to the workspace. Each message is one sentence for people."""

from collections.abc import Iterator
from contextlib import contextmanager


class WorkspaceError(Exception):
    """Base of all; `field` is the path of the input at fault, such as `settings.url`."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class Invalid(WorkspaceError):
    """The input breaks a rule."""


class Conflict(Invalid):
    """The input is fine by itself but collides with what is there: a name taken, a limit reached."""


class Unavailable(Invalid):
    """The input is fine, but nothing is here yet that could do it."""


class NotFound(WorkspaceError):
    """There is no such thing in this workspace."""


class Forbidden(WorkspaceError):
    """The caller may not do this."""


class SecretError(WorkspaceError):
    """A secret can't be read: wrong key, or changed where it is stored."""


@contextmanager
def at(path: str) -> Iterator[None]:
    """Errors from within are about something below `path`."""
    try:
        yield
    except WorkspaceError as error:
        error.field = f"{path}.{error.field}" if error.field else path
        raise


@contextmanager
def naming(**names: str) -> Iterator[None]:
    """Within, errors about the workspace's `name` are about what the caller calls otherwise."""
    try:
        yield
    except WorkspaceError as error:
        if error.field:
            first, dot, rest = error.field.partition(".")
            head, bracket, index = first.partition("[")
            error.field = names.get(head, head) + bracket + index + dot + rest
        raise
