"""What can be wrong with a mapping, when it is saved and when it runs."""

from collections.abc import Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One finding of `validate`: `/products/0/@path should be a string …`."""

    path: str
    """Where, as keys joined by `/`; `/` is the mapping itself."""
    message: str

    def __str__(self) -> str:
        return f"{self.path} {self.message}."


class MappingError(ValueError):
    """A mapping that isn't valid, or that failed on an event. The text names the place in the mapping."""

    def __init__(self, message: str, problems: Sequence[Problem] = (), path: tuple[str, ...] = ()) -> None:
        super().__init__(f"/{'/'.join(path)}: {message}" if path else message)
        self.message = message
        self.problems = tuple(problems)
        self.path = path

    def under(self, key: str) -> "MappingError":
        """The same error, seen from the object that holds the failing part under `key`."""
        return MappingError(self.message, self.problems, (key, *self.path))
