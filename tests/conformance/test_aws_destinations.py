"""The destinations at AWS against Segment's, which here run with the AWS SDK that they use: both send to the
same stand-in for AWS, which checks the signatures of both, and what arrives must be the same.

Not the same, on purpose:
- File names have a digest of the file's events besides the time, which is that of the events.
- A file of one event has one row; Segment's Upload CSV writes it three times.
- Settings that Segment requires may be left out where a key is given instead of a role.
- Regions are more than Segment's choices.
- Without `partner_name`, EventBridge gets events by PutEvents: PutPartnerEvents is for partners of AWS only.
"""

import asyncio
import dataclasses
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.destinations.aws.stub import BASE_KEY, BASE_SECRET, EXTERNAL_ID, KEY, ROLE, SECRET, Stub

from onward.destinations import amazon_eventbridge, aws_kinesis, aws_s3, s3
from onward.destinations.aws_s3.send import ORDER
from onward.destinations.bridge import definitions
from onward.destinations.bridge.install import install
from onward.destinations.definition import Call, Definition
from onward.destinations.outcome import DELIVERED
from onward.egress.client import HttpClient
from onward.egress.guard import Guard
from onward.settings import Settings

SCRIPT = Path(__file__).parent / "js" / "aws" / "run.cjs"
OURS = {
    "s3": s3.DEFINITION,
    "aws-s3": aws_s3.DEFINITION,
    "aws-kinesis": aws_kinesis.DEFINITION,
    "amazon-eventbridge": amazon_eventbridge.DEFINITION,
}
BY_ROLE = {"iam_role_arn": ROLE, "iam_external_id": EXTERNAL_ID}
BY_KEY = {"access_key_id": KEY, "secret_access_key": SECRET}
BUCKET = {"s3_aws_bucket_name": "events", "s3_aws_region": "eu-west-1"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z(_[0-9a-f]{12})?")


class Both:
    """Segment's destinations in a process, ours in this one, and one stand-in for AWS."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._runner.run(self._start())

    async def _start(self) -> None:
        self.folder = Settings().catalog_folder
        install(self.folder)
        self.stub = Stub()
        await self.stub.start()
        self.http = HttpClient(Guard(["127.0.0.0/8"]))
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "DENO_DIR") if name in os.environ},
            **{"DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1", "TZ": "UTC", "AWS_REGION": "eu-west-1"},
            **{"AWS_ENDPOINT_URL": self.stub.url},
            **{"AWS_ACCESS_KEY_ID": BASE_KEY, "AWS_SECRET_ACCESS_KEY": BASE_SECRET},
            **{f"AMAZON_{name}_ACTIONS_ROLE_ADDRESS": ROLE for name in ("S3", "KINESIS")},
            **{f"AMAZON_{name}_ACTIONS_EXTERNAL_ID": EXTERNAL_ID for name in ("S3", "KINESIS")},
        }
        flags = ["--no-prompt", "--no-remote", "--cached-only", "--allow-env", "--allow-sys"]
        self.process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).parent / "deno"),
            "run",
            *flags,
            f"--allow-read={SCRIPT.parent},{self.folder}",
            "--allow-net=127.0.0.1",
            str(SCRIPT),
            str(self.folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
            limit=100_000_000,
        )

    def close(self) -> None:
        self._runner.run(self._stop())
        self._runner.close()

    async def _stop(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        await asyncio.wait_for(self.process.wait(), 20)
        await self.http.close()
        await self.stub.close()

    def theirs(
        self, directory: str, action: str, payloads: list[Any], *, batch: bool = True, **data: Any
    ) -> Any:
        """What the action answers, and what arrived at AWS."""
        payload = payloads if batch else payloads[0]
        asked = {
            "directory": directory,
            "action": action,
            "batch": batch,
            "data": {"payload": payload, **data},
        }
        return self._recorded(self._ask(asked))

    async def _ask(self, asked: Any) -> Any:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        assert line, "the destinations stopped"
        return json.loads(line)

    def ours(
        self, directory: str, action: str, payloads: list[Any], chosen: dict[str, Any], **call: Any
    ) -> Any:
        made = Call(
            settings={**BY_KEY, "endpoint_url": self.stub.url, **chosen},
            http=self.http,
            timeout=20.0,
            workspace_id="w",
            source_id="src",
            destination_id="d",
            **call,
        )
        return self._recorded(OURS[directory].actions[action].perform(made, payloads))

    def _recorded(self, work: Any) -> Any:
        stub = self.stub
        stub.objects.clear()
        for found in (stub.asked, stub.faults):
            found.clear()
        answer = self._runner.run(_awaited(work))
        assert stub.faults == []
        return answer, [asked for asked in stub.asked if asked.service != "sts"], dict(stub.objects)


async def _awaited(work: Any) -> Any:
    return await work


@pytest.fixture(scope="module")
def both() -> Iterator[Both]:
    both = Both()
    yield both
    both.close()


SWEEP = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=8)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.none() | st.booleans() | NUMBERS | TEXT
JSON = st.recursive(
    PLAIN, lambda of: st.lists(of, max_size=3) | st.dictionaries(TEXT, of, max_size=3), max_leaves=5
)
OBJECTS = st.dictionaries(TEXT | st.sampled_from(["1", "10", "2", "a"]), JSON, max_size=4)
DELIMITERS = st.sampled_from([",", "|", "tab", ";", ":"])
FOLDERS = st.sampled_from(["", "a", "a/", "a b/ü", "1+2=3/&?#"])


def names(objects: dict[tuple[str, str], bytes]) -> dict[tuple[str, str], str]:
    return {(bucket, TIME.sub("T", key)): body.decode() for (bucket, key), body in objects.items()}


@SWEEP
@given(
    st.data(),
    st.lists(
        st.sampled_from(["a", "b", "10", "2", 'q"x', "a,b", "a|b", "a;b", "a:b", "ü x"]),
        unique=True,
        min_size=1,
    ),
    DELIMITERS,
    st.sampled_from(["csv", "txt"]),
    st.sampled_from(["", "p", "p q", "report.EXT"]),
    FOLDERS,
    st.sampled_from(["", "in", "a"]),
    st.sampled_from(["", "size"]),
)
@pytest.mark.timeout(600)
def test_sync_to_s3(
    both: Both,
    data: Any,
    columns: list[str],
    delimiter: str,
    extension: str,
    prefix: str,
    folder: str,
    membership: str,
    size: str,
) -> None:
    payload = st.fixed_dictionaries(
        {"columns": st.dictionaries(st.sampled_from(columns), JSON)},
        optional={
            "traits_or_props": st.dictionaries(st.sampled_from(["vip", "x"]), JSON),
            "computation_key": st.sampled_from(["vip", "", "none"]),
        },
    )
    common = {
        "delimiter": delimiter,
        "file_extension": extension,
        "filename_prefix": prefix.replace("EXT", extension),
        "s3_aws_folder_name": folder,
        "audience_action_column_name": membership,
        "batch_size_column_name": size,
    }
    payloads = [each | common for each in data.draw(st.lists(payload, min_size=1, max_size=4))]
    mapping = {"columns": {name: data.draw(st.sampled_from(["", {"@path": "$.x"}])) for name in columns}}
    answer, (asked,), theirs = both.theirs(
        "s3", "syncToS3", payloads, settings={**BY_ROLE, **BUCKET}, rawMapping=mapping
    )
    assert answer == {"value": None}
    outcome, (own,), ours = both.ours("s3", "syncToS3", payloads, BUCKET, mapping=mapping)
    assert outcome == DELIVERED
    assert names(ours) == names(theirs)
    assert own.headers["Content-Type"] == asked.headers["Content-Type"]


@SWEEP
@given(
    st.data(),
    st.dictionaries(st.sampled_from(ORDER), st.sampled_from(["", "C", 'd"e', "ü x"])),
    st.dictionaries(st.sampled_from(["plan", "deep", "10", "2"]), st.sampled_from(["Plan", "x y"])),
    st.fixed_dictionaries(
        {"delimiter": DELIMITERS},
        optional={
            "filename": st.sampled_from(["", "p", "p q", "report.csv"]),
            "s3_aws_folder_name": FOLDERS,
        },
    ),
)
@pytest.mark.timeout(600)
def test_upload_csv(
    both: Both, data: Any, columns: dict[str, str], more: dict[str, str], audience: dict[str, str]
) -> None:
    payload = st.fixed_dictionaries(
        {
            "propertiesOrTraits": st.dictionaries(st.sampled_from(["VIP", "plan", "deep", "10", "2"]), JSON),
            "integrationsObject": OBJECTS,
        },
        optional={
            **dict.fromkeys(("audienceId", "email", "userId", "anonymousId", "messageId", "spaceId"), TEXT),
            "timestamp": st.sampled_from(["2026-01-02T03:04:05.678Z", "2026-01-02"]),
        },
    )
    common = {
        "columns": columns,
        "audienceName": "VIP",
        "additional_identifiers_and_traits_columns": more,
    }
    payloads = [each | common for each in data.draw(st.lists(payload, min_size=1, max_size=4))]
    answer, _, theirs = both.theirs(
        "aws-s3",
        "syncAudienceToCSV",
        payloads,
        settings={**BY_ROLE, **BUCKET},
        audienceSettings=audience,
    )
    assert answer == {"value": None}
    events = [{"context": {"personas": {"audience_settings": audience}}}] * len(payloads)
    outcome, _, ours = both.ours("aws-s3", "syncAudienceToCSV", payloads, BUCKET, events=events)
    assert outcome == DELIVERED
    assert names(ours) == names(theirs)


def test_one_event_is_one_row(both: Both) -> None:
    payload = {"columns": {"email": "email"}, "email": "e", "audienceName": "a", "propertiesOrTraits": {}}
    data = {"settings": {**BY_ROLE, **BUCKET}, "audienceSettings": {"delimiter": ","}}
    _, _, theirs = both.theirs("aws-s3", "syncAudienceToCSV", [payload], batch=False, **data)
    _, _, ours = both.ours("aws-s3", "syncAudienceToCSV", [payload], BUCKET)
    assert list(theirs.values()) == [b'email\n"e"\n"e"\n"e"']
    assert list(ours.values()) == [b'email\n"e"']


@SWEEP
@given(
    st.lists(
        st.fixed_dictionaries(
            {"payload": OBJECTS, "partitionKey": TEXT.filter(bool)},
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from(["events", "Events_1.x-y"]),
    st.sampled_from(["eu-west-1", "us-east-1"]),
    st.booleans(),
)
@pytest.mark.timeout(600)
def test_kinesis(both: Both, payloads: list[Any], stream: str, region: str, batch: bool) -> None:
    payloads = [
        each | {"streamName": stream, "awsRegion": region} for each in payloads[: None if batch else 1]
    ]
    by_role = {"iamRoleArn": ROLE, "iamExternalId": EXTERNAL_ID}
    answer, (asked,), _ = both.theirs("aws-kinesis", "send", payloads, batch=batch, settings=by_role)
    assert answer == {"value": None}
    outcome, (own,), _ = both.ours("aws-kinesis", "send", payloads, {})
    assert outcome == DELIVERED
    assert said(own) == said(asked)


@SWEEP
@given(
    st.lists(
        st.fixed_dictionaries(
            {"data": OBJECTS, "detailType": TEXT.filter(bool)},
            optional={
                "resources": st.sampled_from(["arn:a", ["arn:a", "arn:b"], []]),
                "time": st.sampled_from(
                    ["2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05+02:00", "2026-01-02"]
                ),
            },
        ),
        min_size=1,
        max_size=6,
    )
)
@pytest.mark.timeout(600)
def test_eventbridge_as_a_partner(both: Both, payloads: list[Any]) -> None:
    chosen = {"accountId": "123456789012", "region": "eu-west-1"}
    hook = {"onMappingSave": {"outputs": {"sourceId": "src"}}}
    answer, (asked,), _ = both.theirs(
        "amazon-eventbridge", "send", payloads, settings=chosen, hookOutputs=hook
    )
    assert [node["data"]["status"] for node in answer["value"]["responses"]] == [200] * len(payloads)
    outcome, (own,), _ = both.ours(
        "amazon-eventbridge", "send", payloads, {**chosen, "partner_name": "segment.com"}, mapping=hook
    )
    assert outcome == DELIVERED
    for entry, payload in zip(asked.arguments["Entries"], payloads, strict=True):
        if "time" not in payload:
            del entry["Time"]  # Segment's clock; AWS's is as good
    assert said(own) == said(asked)


def said(asked: Any) -> Any:
    return asked.headers["Content-Type"], asked.headers["X-Amz-Target"], asked.arguments


# -- definitions ---------------------------------------------------------------------------------------

ADDED = {
    "access_key_id",
    "secret_access_key",
    "endpoint_url",
    "iam_role_arn",
    "iam_external_id",
    "event_bus_name",
    "source",
    "partner_name",
}


@pytest.mark.parametrize("directory", OURS)
def test_the_same_definition(both: Both, directory: str) -> None:
    ours = OURS[directory]
    theirs = definitions.load(both.folder)[ours.slug]
    assert (ours.slug, ours.id, ours.name) == (theirs.slug, theirs.id, theirs.name)
    assert (ours.listing.ip_allowlist, ours.listing.categories) == (
        theirs.listing.ip_allowlist,
        theirs.listing.categories,
    )
    assert ours.settings.keys() - theirs.settings.keys() <= ADDED
    for name, setting in theirs.settings.items():
        assert (ours.settings[name].type, ours.settings[name].secret) == (setting.type, setting.secret)
        assert set(setting.choices) <= set(ours.settings[name].choices)
    assert ours.actions.keys() == theirs.actions.keys()
    for slug, action in ours.actions.items():
        other = theirs.actions[slug]
        assert (action.title, action.default_trigger, action.batches, action.hooks.keys()) == (
            other.title,
            other.default_trigger,
            other.batches,
            other.hooks.keys(),
        )
        assert list(action.fields) == list(other.fields)
        for name, field in action.fields.items():
            assert shape(field) == shape(other.fields[name]), name
            assert set(other.fields[name].choices) <= set(field.choices)
    assert [(p.name, p.action, p.automatic, p.event, p.mapping) for p in ours.presets] == [
        (p.name, p.action, p.automatic, p.event, p.mapping) for p in theirs.presets
    ]
    assert shapes(ours) == shapes(theirs)


def shapes(definition: Definition) -> Any:
    """Of the audience settings."""
    audiences = definition.audiences
    return audiences and {name: shape(field) for name, field in audiences.fields.items()}


WORDS = {"label", "description", "choices", "choice_labels", "properties", "category", "placeholder"}


def shape(field: Any) -> Any:
    """What a field is, but for the words that people read, and choices."""
    found = {
        key: getattr(field, key) for key in (f.name for f in dataclasses.fields(field)) if key not in WORDS
    }
    found["default"] = json.dumps(field.default)
    if field.properties is not None:
        found["properties"] = {name: shape(member) for name, member in field.properties.items()}
    return found
