"""A stand-in for AWS: it checks every signature with AWS's own signer, and requests by the documentation.

One server for S3 (path style), Kinesis, EventBridge, SQS and STS, told apart by the signature's scope. What
breaks a documented rule is answered as AWS answers it and noted in `faults`, which tests expect to be empty.
"""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from aiohttp import web
from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSignedBodyHeaderType,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.http import HttpHeaders, HttpRequest

KEY, SECRET = "AKIAEXAMPLE", "own+secret/key"
BASE_KEY, BASE_SECRET = "AKIAONWARD", "onwards/own+secret"
ROLE = "arn:aws:iam::123456789012:role/onward/events"
EXTERNAL_ID = "external id & more"

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/([0-9]{8})/([^/]+)/([^/]+)/aws4_request, "
    r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})"
)
_ADDED = ("x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "authorization")
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def reference(
    key: tuple[str, str, str],
    service: str,
    region: str,
    method: str,
    path: str,
    headers: list[tuple[str, str]],
    body_sha256: str,
    at: datetime,
    sends_sha256: bool,
) -> dict[str, str]:
    """The headers that AWS's own signer gives a request; `path` has its query, as the request line does."""
    s3 = service == "s3"
    config = AwsSigningConfig(
        algorithm=AwsSigningAlgorithm.V4,
        signature_type=AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=AwsCredentialsProvider.new_static(key[0], key[1], key[2] or None),
        region=region,
        service=service,
        date=at,
        use_double_uri_encode=not s3,
        should_normalize_uri_path=False,
        signed_body_value=body_sha256,
        signed_body_header_type=(
            AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256 if sends_sha256 else AwsSignedBodyHeaderType.NONE
        ),
    )
    request = HttpRequest(method, path, HttpHeaders(headers))
    aws_sign_request(request, config).result(10)
    return {name.lower(): value for name, value in request.headers}


class Asked:
    """A request as it came."""

    def __init__(
        self, service: str, operation: str, arguments: Any, request: web.Request, body: bytes
    ) -> None:
        self.service, self.operation, self.arguments = service, operation, arguments
        self.path, self.headers, self.body = request.raw_path, request.headers, body
        self.key = _AUTHORIZATION.fullmatch(request.headers["Authorization"])[1]


class Stub:
    def __init__(self) -> None:
        self.keys = {KEY: (KEY, SECRET, ""), BASE_KEY: (BASE_KEY, BASE_SECRET, "")}
        self.asked: list[Asked] = []
        self.faults: list[str] = []
        self.answers: list[tuple[str, web.Response]] = []
        self.failing: dict[Any, tuple[str, str]] = {}
        """By partition key, detail type or body: the code and message that this item fails with."""
        self.objects: dict[tuple[str, str], bytes] = {}
        self.records: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.partner_sources: dict[str, str] = {}
        self.buckets = {"events", "Odd_Bucket.name"}
        self.session_seconds = 3600.0
        self.given = 0
        """How often a role was assumed."""
        self.max_record = 1024 * 1024
        self.url = ""

    async def start(self) -> None:
        @web.middleware
        async def handle(request: web.Request, handler: Any) -> web.StreamResponse:
            return await self._handle(request)

        app = web.Application(client_max_size=100_000_000, middlewares=[handle])
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        await self._runner.cleanup()

    def answer(self, service: str, status: int, body: Any = b"", **headers: str) -> None:
        """What the next request to the service gets, whatever it asks."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((service, web.Response(status=status, body=data, headers=names)))

    def of(self, service: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.service == service]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        try:
            service, region = self._verify(request, body)
        except AssertionError as error:
            self.faults.append(str(error))
            return _json_error(403, "InvalidSignatureException", f"{error}\n\nThe canonical string: secret")
        target = request.headers.get("X-Amz-Target", "")
        if service == "s3":
            operation, arguments = request.method, unquote(request.raw_path.partition("?")[0])
        elif service == "sts":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            operation, arguments = form["Action"], form
        else:
            operation, arguments = target.rpartition(".")[2], json.loads(body)
        self.asked.append(Asked(service, operation, arguments, request, body))
        for place, (wanted, answer) in enumerate(self.answers):
            if wanted == service:
                del self.answers[place]
                return answer
        return getattr(self, f"_{service}")(request, region, target, arguments, body)

    def _verify(self, request: web.Request, body: bytes) -> tuple[str, str]:
        """Service and region of the signature, if it is right."""
        given = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        assert given, "no signature"
        key_id, _, region, service, signed, signature = given.groups()
        assert key_id in self.keys, f"unknown key {key_id}"
        names = signed.split(";")
        assert "host" in names and names == sorted(names)
        for name in request.headers:
            assert not name.lower().startswith("x-amz-") or name.lower() in names, f"{name} is not signed"
        at = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert abs((datetime.now(UTC) - at).total_seconds()) < 300, "the signature is too old"
        sha256 = hashlib.sha256(body).hexdigest()
        if service == "s3":
            assert request.headers["X-Amz-Content-Sha256"] == sha256, "another body was signed"
        kept = [(name, request.headers[name]) for name in names if name not in _ADDED]
        expected = reference(
            self.keys[key_id],
            service,
            region,
            request.method,
            request.raw_path,
            kept,
            sha256,
            at,
            "x-amz-content-sha256" in names,
        )
        assert expected["authorization"].endswith(signature), (
            f"SignatureDoesNotMatch for {request.method} {request.raw_path}"
        )
        assert request.headers.get("X-Amz-Security-Token", "") == self.keys[key_id][2]
        return service, region

    # -- STS ---------------------------------------------------------------------------------------

    def _sts(self, request: web.Request, region: str, target: str, form: Any, body: bytes) -> web.Response:
        assert form["Version"] == "2011-06-15"
        if form["Action"] == "GetCallerIdentity":
            return _xml(
                "<GetCallerIdentityResponse><Arn>arn:aws:iam::1:user/me</Arn></GetCallerIdentityResponse>"
            )
        assert re.fullmatch(r"[\w+=,.@-]{2,64}", form["RoleSessionName"])
        if form["RoleArn"] != ROLE or form.get("ExternalId") not in (EXTERNAL_ID, None):
            return _xml(
                "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: x is not "
                "authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>",
                403,
            )
        self.given += 1
        key = (f"ASIA{self.given}", f"temporary/{self.given}", f"token+{self.given}==")
        self.keys[key[0]] = key
        end = datetime.fromtimestamp(datetime.now(UTC).timestamp() + self.session_seconds, UTC)
        return _xml(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
            f"<AccessKeyId>{key[0]}</AccessKeyId><SecretAccessKey>{key[1]}</SecretAccessKey>"
            f"<SessionToken>{key[2]}</SessionToken><Expiration>{end:%Y-%m-%dT%H:%M:%SZ}</Expiration>"
            "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
        )

    # -- S3 ----------------------------------------------------------------------------------------

    def _s3(self, request: web.Request, region: str, target: str, path: str, body: bytes) -> web.Response:
        _, bucket, key = path.split("/", 2)
        assert request.method == "PUT"
        if bucket not in self.buckets:
            return _xml(
                "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message>"
                f"<BucketName>{bucket}</BucketName></Error>",
                404,
            )
        self.objects[bucket, key] = body
        return web.Response(headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})

    # -- Kinesis -----------------------------------------------------------------------------------

    def _kinesis(
        self, request: web.Request, region: str, target: str, asked: Any, body: bytes
    ) -> web.Response:
        assert request.headers["Content-Type"] == "application/x-amz-json-1.1"
        assert target == "Kinesis_20131202.PutRecords"
        if asked["StreamName"] == "missing":
            return _json_error(400, "ResourceNotFoundException", "Stream missing under account 1 not found.")
        records, total = asked["Records"], 0
        if not 1 <= len(records) <= 500:
            return self._refuse("InvalidArgumentException", f"{len(records)} records")
        for record in records:
            data = base64.b64decode(record["Data"], validate=True)
            size = len(data) + len(record["PartitionKey"].encode())
            total += size
            if not 1 <= len(record["PartitionKey"]) <= 256 or size > self.max_record:
                return self._refuse("ValidationException", f"a record of {size} bytes")
        if total > 5 * 1024 * 1024:
            return self._refuse("InvalidArgumentException", f"a request of {total} bytes")
        results = []
        for record in records:
            failure = self.failing.get(record["PartitionKey"])
            if failure:
                results.append({"ErrorCode": failure[0], "ErrorMessage": failure[1]})
            else:
                self.records.append({**record, "StreamName": asked["StreamName"], "region": region})
                results.append({"SequenceNumber": "1", "ShardId": "shardId-0"})
        return _json({"FailedRecordCount": sum("ErrorCode" in each for each in results), "Records": results})

    # -- EventBridge -------------------------------------------------------------------------------

    def _events(
        self, request: web.Request, region: str, target: str, asked: Any, body: bytes
    ) -> web.Response:
        assert request.headers["Content-Type"] == "application/x-amz-json-1.1"
        assert target.startswith("AWSEvents.")
        operation = target.rpartition(".")[2]
        if operation == "DescribeEventBus":
            if asked["Name"].endswith("/missing"):
                return _json_error(400, "ResourceNotFoundException", "Event bus missing does not exist.")
            return _json({"Name": "default"})
        if operation == "ListPartnerEventSources":
            found = [name for name in self.partner_sources if name.startswith(asked["NamePrefix"])]
            return _json({"PartnerEventSources": [{"Name": name} for name in found]})
        if operation == "CreatePartnerEventSource":
            if asked["Name"] in self.partner_sources:
                return _json_error(400, "ResourceAlreadyExistsException", "it exists")
            self.partner_sources[asked["Name"]] = asked["Account"]
            return _json({"EventSourceArn": "arn"})
        most = {"PutEvents": 10, "PutPartnerEvents": 20}[operation]
        entries = asked["Entries"]
        if not 1 <= len(entries) <= most or len(body) > 1_200_000:
            return self._refuse("ValidationException", f"{len(entries)} entries, {len(body)} bytes")
        results = []
        for entry in entries:
            assert isinstance(json.loads(entry["Detail"]), dict)
            assert isinstance(entry.get("Time", 0), int | float)
            assert ("EventBusName" in entry) == (operation == "PutEvents")
            failure = self.failing.get(entry["DetailType"])
            if entry["Source"].startswith("aws.") and operation == "PutEvents":
                failure = ("NotAuthorizedForSourceException", "Not authorized for the source.")
            if failure:
                results.append({"ErrorCode": failure[0], "ErrorMessage": failure[1]})
            else:
                self.events.append({**entry, "region": region})
                results.append({"EventId": "e"})
        return _json({"FailedEntryCount": sum("ErrorCode" in each for each in results), "Entries": results})

    # -- SQS ---------------------------------------------------------------------------------------

    def _sqs(self, request: web.Request, region: str, target: str, asked: Any, body: bytes) -> web.Response:
        assert request.headers["Content-Type"] == "application/x-amz-json-1.0"
        if asked["QueueUrl"].endswith("/missing"):
            error = _json_error(
                400, "com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist."
            )
            error.headers["x-amzn-query-error"] = "AWS.SimpleQueueService.NonExistentQueue;Sender"
            return error
        if target == "AmazonSQS.GetQueueAttributes":
            return _json({"Attributes": {"QueueArn": "arn"}})
        assert target == "AmazonSQS.SendMessageBatch"
        entries = asked["Entries"]
        ids = [entry["Id"] for entry in entries]
        total = sum(len(entry["MessageBody"].encode()) for entry in entries)
        if not 1 <= len(entries) <= 10 or len(set(ids)) < len(ids) or total > 1024 * 1024:
            return self._refuse("com.amazonaws.sqs#BatchRequestTooLong", f"{len(entries)}, {total} bytes")
        answer: dict[str, list[dict[str, Any]]] = {"Successful": [], "Failed": []}
        for entry in entries:
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", entry["Id"])
            failure = self.failing.get(entry["MessageBody"])
            if re.search("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", entry["MessageBody"]):
                failure = ("InvalidMessageContents", "Invalid characters found.")
            if asked["QueueUrl"].endswith(".fifo") and "MessageGroupId" not in entry:
                failure = ("MissingParameter", "The request must contain the parameter MessageGroupId.")
            if failure:
                answer["Failed"].append(
                    {"Id": entry["Id"], "Code": failure[0], "Message": failure[1], "SenderFault": True}
                )
            else:
                self.messages.append({**entry, "QueueUrl": asked["QueueUrl"], "region": region})
                answer["Successful"].insert(
                    0,
                    {
                        "Id": entry["Id"],
                        "MessageId": "m",
                        "MD5OfMessageBody": hashlib.md5(entry["MessageBody"].encode()).hexdigest(),
                    },
                )
        return _json(answer)

    def _refuse(self, code: str, message: str) -> web.Response:
        self.faults.append(f"{code}: {message}")
        return _json_error(400, code, message)


def _json(value: Any) -> web.Response:
    return web.Response(body=json.dumps(value).encode(), content_type="application/x-amz-json-1.1")


def _json_error(status: int, code: str, message: str) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps({"__type": code, "message": message}).encode(),
        content_type="application/x-amz-json-1.1",
    )


def _xml(text: str, status: int = 200) -> web.Response:
    return web.Response(status=status, text=f'<?xml version="1.0"?>\n{text}', content_type="text/xml")
