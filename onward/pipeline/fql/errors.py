"""How FQL fails: at writing time with a place in the text, at run time with the reason."""


class FqlError(ValueError):
    """A text that is not FQL. `position` is the character (from 0) where it went wrong."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at character {position + 1})")
        self.message = message
        self.position = position


class FqlEvaluationError(Exception):
    """An expression has no answer for this event, such as the length of an object.

    Filters fail closed on it: the event is dropped (spec §6.3).
    """
