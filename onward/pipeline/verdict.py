"""How an event leaves the pipeline before it becomes a payload."""


class Stopped(str):
    """Why an event is not for this destination: the code of spec §12.4, such as `FILTERED_BY_RULES`.

    Made when a route is compiled, wherever nothing in it is the event's own. msgspec encodes no subclasses:
    give it `str(stopped)`.
    """

    __slots__ = ("filter_id", "message")

    filter_id: str | None
    """The destination filter that stopped it."""
    message: str
    """What there is to say beyond the code."""

    def __new__(cls, code: str, *, filter_id: str | None = None, message: str = "") -> "Stopped":
        stopped = super().__new__(cls, code)
        stopped.filter_id = filter_id
        stopped.message = message
        return stopped
