"""From the bytes of a request to what is kept of it: decode, measure, validate, name.

The body is decoded once, with the decoder that every reader uses, so what passes here can't poison
them. It is kept as it came (`Envelope` says which items count); only a batch that holds poison is
rebuilt, with `null` in the poison's place so that positions stay.

Where spec §12.4 has no code of its own, these are used:

* `BAD_REQUEST`: an item that no reader can decode or write out again, an event over 32 KB inside a batch,
  every event of a batch of more than 2,500 (just so many are looked at: 500 KB hold 250,000), a body that is
  JSON but not an object, a `batch` that is not an array, and a batch whose shared fields (`context`, …) no
  reader can decode.
* `empty_batch` counts as one event, so that received = accepted + duplicates + discarded.
* `USER_SUPPRESSED`: an event of someone whose data the workspace was asked not to take (spec §16.1).
* `empty_batch_result` and `multi_user_error` are not used: they would count, for a batch, events that
  already have a code of their own.
"""

import uuid
from collections import Counter
from collections.abc import Sequence, Set
from typing import Any, Final

import msgspec
import orjson

from onward.pipeline.validate import discard_code
from onward.tracking import salvage
from onward.tracking.depth import may_be_too_deep, too_deep
from onward.tracking.limits import BATCH_EVENTS, EVENT_BYTES

BAD_REQUEST: Final = "BAD_REQUEST"
EMPTY_BATCH: Final = "empty_batch"
USER_SUPPRESSED: Final = "USER_SUPPRESSED"


class Intake:
    """One decoded request.

    `events` holds what was sent, by position: dicts as a rule, raw bytes for what can't be decoded.
    `discards` maps a position to its code; every other position has its messageId in `message_ids`,
    in order, and in `ids` if it was assigned here. `types` counts the events that were not discarded,
    `count` all. `content` is the decoded body of a batch, `stored` what goes to the log instead of `body`
    where rules of the source changed an event: a batch of complete events, by position. `changed` has these
    where the source's insert function made them. `more` counts events beyond those, by their code.
    """

    __slots__ = (
        "batch", "body", "changed", "content", "count", "discards", "events", "ids", "key", "message_ids",
        "more", "oversize", "stored", "type", "types",
    )  # fmt: skip

    def __init__(self, body: bytes, type: str | None, *, batch: bool) -> None:
        self.body = body
        self.batch = batch
        self.type = type
        self.content: dict[str, Any] | None = None
        self.stored: bytes | None = None
        self.changed: list[Any] | None = None
        self.key: object = None
        self.events: list[Any] = []
        self.count = 0
        self.discards: dict[int, str] = {}
        self.message_ids: list[str] = []
        self.ids: dict[int, str] = {}
        self.oversize: tuple[int, ...] = ()
        self.more: dict[str, int] = {}
        self.types: Counter[str] = Counter()

    def discard_all(self, code: str) -> None:
        """Nothing of this request is kept."""
        self.discards = dict.fromkeys(range(len(self.events)), code)
        self.message_ids = []
        self.ids = {}
        if self.more:
            self.more = {code: sum(self.more.values())}

    def take_first(self, events: Sequence[Any], number: int) -> None:
        """Of so many events that all of them are discarded, those that are looked at."""
        self.events = list(events[:BATCH_EVENTS])
        self.more = {BAD_REQUEST: number - len(self.events)}
        self.discard_all(BAD_REQUEST)

    def validate(self, suppressed: Sequence[Set[str]] = ()) -> None:
        """Judge each event that is still standing, and give those a messageId that have none.

        Events of the users in one of the sets `suppressed` are discarded, and leave the body: what is stored
        of a batch must not hold them beside the others.
        """
        discards, message_ids, type = self.discards, self.message_ids, self.type
        self.count = len(self.events)
        hushed = self.hush(suppressed)
        for position, event in enumerate(self.events):
            if discards and position in discards:
                continue
            code = discard_code(event, type)
            if code is not None:
                discards[position] = code
                continue
            message_id = event.get("messageId")
            if message_id.__class__ is not str or not message_id:
                message_id = self.ids[position] = str(uuid.uuid4())
            message_ids.append(message_id)
        if hushed and message_ids:
            items = [None if at in discards else event for at, event in enumerate(self.events)]
            self.body = orjson.dumps({**(self.content or {}), "batch": items})
        if type is not None:
            self.types[type] = len(message_ids)
        else:  # here, while the events are in the CPU's caches
            self.types.update(
                [event["type"] for at, event in enumerate(self.events) if at not in discards]
                if discards
                else [event["type"] for event in self.events]
            )

    def hush(self, suppressed: Sequence[Set[str]]) -> bool:
        """Whether events are of users in one of the sets: these are discarded for that, whatever else is
        wrong with them, so that no sample shows them."""
        if not suppressed:
            return False
        found = [at for at, event in enumerate(self.events) if _is_of(event, suppressed)]
        self.discards.update(dict.fromkeys(found, USER_SUPPRESSED))
        return bool(found)

    def hush_made(self, suppressed: Sequence[Set[str]]) -> None:
        """The same of complete events, as an insert function or another source's rules have made them."""
        if not suppressed:
            return
        made = self.events if self.changed is None else self.changed
        found = [at for at in self.standing() if _is_of(made[at], suppressed)]
        if found:
            self.block(dict.fromkeys(found, USER_SUPPRESSED))
            kept = [None if at in self.discards else event for at, event in enumerate(made)]
            self.stored = orjson.dumps({"batch": kept})

    def standing(self) -> list[int]:
        """The positions of the events that were not discarded, in order."""
        discards = self.discards
        return [at for at in range(self.count) if at not in discards]

    def block(self, codes: dict[int, str]) -> None:
        """Discard events after all, by position, each with its code."""
        standing = zip(self.standing(), self.message_ids, strict=True)
        self.message_ids = [id for at, id in standing if at not in codes]
        self.discards.update(codes)

    def release(self) -> None:
        """Let go of the decoded events until someone asks for them with `load`.

        With many requests waiting for the disk, the events of all of them would not fit into the CPU's
        caches, and each touch would cost more than decoding did.
        """
        self.content = self.changed = None
        if not self.discards:
            self.events = []

    def load(self) -> list[Any]:
        """The events, decoded again if they were released."""
        if not self.events:
            content = orjson.loads(self.body)
            self.events = content["batch"] if self.batch else [content]
        return self.events


def single(body: bytes, type: str) -> Intake:
    """A body of one event whose type the path implies. Raises `salvage.Malformed`."""
    intake = Intake(body, type, batch=False)
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        fields = salvage.split(body).fields
        body = body.removeprefix(b"\xef\xbb\xbf")
        event = orjson.loads(body) if _decodes(body) else body
        intake.key = _text(fields.get("writeKey"))
        intake.body = body
    intake.events = [event]
    if event.__class__ is dict:
        intake.key = event.get("writeKey")
    if event.__class__ is not dict or (may_be_too_deep(body, len(body)) and too_deep(event)):
        intake.discards[0] = BAD_REQUEST
    return intake


def completed(events: list[dict[str, Any]]) -> Intake:
    """Complete events that another source hands on, as a request of their own."""
    intake = Intake(orjson.dumps({"batch": events}), None, batch=True)
    intake.stored = intake.body
    intake.events = events
    intake.count = len(events)
    intake.message_ids = [event["messageId"] for event in events]
    intake.types.update([event["type"] for event in events])
    return intake


def batch(body: bytes) -> Intake:
    """A body of many events. Raises `salvage.Malformed`."""
    intake = Intake(body, None, batch=True)
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _poisoned(intake)
    if content.__class__ is not dict or content.get("batch").__class__ is not list:
        intake.key = content.get("writeKey") if content.__class__ is dict else None
        intake.events = [content]
        intake.discards[0] = BAD_REQUEST
        return intake
    few = len(content["batch"]) <= BATCH_EVENTS
    _judge(intake, content, _item_sizes(body) if few and len(body) > EVENT_BYTES else [])
    return intake


class _Items(msgspec.Struct):
    batch: list[msgspec.Raw]


_split = msgspec.json.Decoder(_Items).decode


def _item_sizes(body: bytes) -> list[int]:
    try:
        return [len(memoryview(raw)) for raw in _split(body).batch]
    except (msgspec.DecodeError, RecursionError):  # nested deeper than msgspec goes, though not orjson
        return list(map(len, salvage.split(body).batch or ()))


def _judge(intake: Intake, content: dict[str, Any], sizes: list[int]) -> None:
    """Take a decoded batch and rule on its number, sizes and nesting; no sizes: all are small."""
    events: list[Any] = content["batch"]
    intake.content = content
    intake.events = events
    intake.key = content.get("writeKey")
    if not events:
        intake.events = [content]
        intake.discards[0] = EMPTY_BATCH
        return
    if intake.key is None and events[0].__class__ is dict:
        intake.key = events[0].get("writeKey")
    if len(events) > BATCH_EVENTS:
        intake.take_first(events, len(events))
        return
    largest = max(sizes) if sizes else 0
    if largest > EVENT_BYTES:
        intake.oversize = tuple(at for at, size in enumerate(sizes) if size > EVENT_BYTES)
        intake.discards.update(dict.fromkeys(intake.oversize, BAD_REQUEST))
    around = len(intake.body) - sum(sizes)
    if may_be_too_deep(intake.body, max(largest, around)) and too_deep(content):
        deep = [at for at, event in enumerate(events) if too_deep([[event]])]
        intake.discards.update(dict.fromkeys(deep, BAD_REQUEST))
        if too_deep({**content, "batch": []}):
            intake.discard_all(BAD_REQUEST)


def _poisoned(intake: Intake) -> Intake:
    """A batch that can't be decoded as a whole: keep what can, item by item."""
    try:
        fields, raws = salvage.split(intake.body, BATCH_EVENTS)
    except salvage.TooMany as found:
        intake.take_first(found.items, len(found.items))
        return intake
    intake.key = _text(fields.get("writeKey"))
    if raws is None or not all(map(salvage.readable, fields.values())):
        intake.events = list(raws) if raws else [intake.body]
        intake.discard_all(BAD_REQUEST)
        return intake
    poison = {at for at, raw in enumerate(raws) if not salvage.readable(raw)}
    good = b",".join(b"null" if at in poison else raw for at, raw in enumerate(raws))
    members = [b'"batch":[' + good + b"]"]
    members += [orjson.dumps(name) + b":" + raw for name, raw in fields.items() if _is_text(name)]
    intake.body = b"{" + b",".join(members) + b"}"
    _judge(intake, orjson.loads(intake.body), list(map(len, raws)))
    intake.discards.update(dict.fromkeys(poison, BAD_REQUEST))
    for at in poison:
        intake.events[at] = raws[at]
    return intake


def _is_of(event: Any, users: Sequence[Set[str]]) -> bool:
    """Whether an event is one of these users'; also one that can't be decoded, as far as its userId can."""
    if event.__class__ is dict:
        user_id = event.get("userId")
    elif event.__class__ is bytes:
        try:
            user_id = _text(salvage.split(event).fields.get("userId"))
        except salvage.Malformed:
            return False
    else:
        return False
    return user_id.__class__ is str and any(user_id in ids for ids in users)


def _decodes(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _text(raw: bytes | None) -> object:
    """A raw JSON value, if it can be decoded."""
    return orjson.loads(raw) if raw is not None and salvage.readable(raw) else None
