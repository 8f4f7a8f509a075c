"""Settings and fields of the HTTP API destination."""

from typing import Any

from onward.destinations.definition import Field
from onward.destinations.http_api import auth, build, results

MAX_BATCH = 10_000


def _when(*kinds: str) -> dict[str, Any]:
    """Shown for these kinds of authentication."""
    conditions = [{"fieldKey": "auth", "operator": "is", "value": kind} for kind in kinds]
    return {"match": "any", "conditions": conditions}


SETTINGS = {
    "base_url": Field(
        label="Base URL",
        description="What all addresses begin with, such as https://api.example.com/v1.",
        required=True,
        placeholder="https://api.example.com/v1",
    ),
    "auth": Field(
        label="Authentication",
        description="How requests sign in.",
        choices=auth.KINDS,
        choice_labels=(
            "None",
            "Basic",
            "Bearer token",
            "API key in a header",
            "API key in the query",
            "OAuth 2.0",
        ),
        default="none",
    ),
    "username": Field(label="User name", description="Of basic authentication.", depends_on=_when("basic")),
    "password": Field(
        label="Password",
        description="Of basic authentication.",
        type="password",
        secret=True,
        depends_on=_when("basic"),
    ),
    "token": Field(
        label="Token",
        description="What comes after the scheme in the Authorization header.",
        type="password",
        secret=True,
        depends_on=_when("bearer"),
    ),
    "auth_scheme": Field(
        label="Scheme",
        description="The word before the token in the Authorization header: Bearer if empty.",
        depends_on=_when("bearer", "oauth2"),
    ),
    "api_key_name": Field(
        label="Name of the key",
        description="The header, such as X-API-Key, or the query parameter, such as api_key.",
        depends_on=_when("api_key_header", "api_key_query"),
    ),
    "api_key": Field(
        label="API key",
        description="The key itself.",
        type="password",
        secret=True,
        depends_on=_when("api_key_header", "api_key_query"),
    ),
    "token_url": Field(
        label="Token URL", description="Where access tokens are asked for.", depends_on=_when("oauth2")
    ),
    "client_id": Field(
        label="Client id",
        description="What the API calls this client.",
        depends_on=_when("oauth2"),
    ),
    "client_secret": Field(
        label="Client secret",
        description="The secret that goes with the client id.",
        type="password",
        secret=True,
        depends_on=_when("oauth2"),
    ),
    "refresh_token": Field(
        label="Refresh token",
        description="If set, tokens are asked for with it; otherwise with the client's credentials alone.",
        type="password",
        secret=True,
        depends_on=_when("oauth2"),
    ),
    "scope": Field(label="Scopes", description="Separated by spaces.", depends_on=_when("oauth2")),
    "client_authentication": Field(
        label="Client authentication",
        description="Where the client's id and secret go.",
        choices=("basic", "body"),
        choice_labels=("In the Authorization header", "In the form"),
        default="basic",
        depends_on=_when("oauth2"),
    ),
    "token_parameters": Field(
        label="Token parameters",
        description="What the token endpoint wants in the form besides, such as an audience.",
        type="object",
        presentation="keyvalue",
        depends_on=_when("oauth2"),
    ),
    "token_headers": Field(
        label="Token headers",
        description="Headers of requests to the token endpoint.",
        type="object",
        presentation="keyvalue",
        depends_on=_when("oauth2"),
    ),
    "headers": Field(
        label="Headers",
        description="Of every request; those of a mapping come on top. No secrets: they are shown.",
        type="object",
        presentation="keyvalue",
    ),
    "signing_secret": Field(
        label="Signing secret",
        description=(
            "If set, requests carry X-Signature: the HMAC-SHA256 of the body under this secret, in "
            "hexadecimal."
        ),
        type="password",
        secret=True,
    ),
    "idempotency_header": Field(
        label="Idempotency header",
        description=(
            "If set, such as Idempotency-Key: a header with a key that stays the same when a request is "
            "repeated."
        ),
    ),
    "test_path": Field(
        label="Test path",
        description="A path that answers a GET with success if the credentials are right.",
        placeholder="/me",
    ),
}

FIELDS = {
    "method": Field(
        label="Method",
        description="The HTTP method.",
        required=True,
        choices=build.METHODS,
        default="POST",
    ),
    "path": Field(
        label="Path",
        description="After the base URL, such as /users/{id}. Values in braces are those of path parameters.",
        placeholder="/users/{id}",
    ),
    "path_parameters": Field(
        label="Path parameters",
        description="Values for the placeholders of the path; they are encoded.",
        type="object",
        presentation="keyvalue",
    ),
    "query": Field(
        label="Query",
        description="Parameters of the query; a list repeats its parameter.",
        type="object",
        presentation="keyvalue",
    ),
    "headers": Field(
        label="Headers",
        description="HTTP headers of the request, in printable ASCII. Secrets belong in the settings.",
        type="object",
        presentation="keyvalue",
    ),
    "body_format": Field(
        label="Body format",
        description="How the body is written. A GET has no body.",
        choices=build.BODIES,
        choice_labels=("JSON", "Form", "Text", "No body"),
        default="json",
    ),
    "data": Field(
        label="Data",
        description="The body, for JSON and forms. By default the whole event.",
        type="object",
        default={"@path": "$."},
    ),
    "text": Field(label="Text", description="The body, for the format text.", type="text"),
    "enable_batching": Field(
        label="Batch events",
        description="Send several events in one request, for JSON and text.",
        type="boolean",
        default=False,
    ),
    "batch_size": Field(
        label="Batch size",
        description=(
            f"The most events in one request: 100 if empty, {MAX_BATCH} at most. From 1000 on, batches are "
            "bulk batches: they wait longer to fill, and keep the same events over all retries."
        ),
        type="number",
        minimum=0,
        maximum=MAX_BATCH,
    ),
    "batch_format": Field(
        label="Batch format",
        description="A JSON array, an object with the array as a member, or one JSON text a line (NDJSON).",
        choices=build.BATCHES,
        choice_labels=("Array", "Array in a member", "Lines"),
        default="array",
    ),
    "batch_member": Field(
        label="Batch member", description="The member's name: batch if empty.", default="batch"
    ),
    "success_statuses": Field(
        label="Statuses of success",
        description="Such as 200-299, 404.",
        default=results.SUCCESS,
    ),
    "retry_statuses": Field(
        label="Statuses to retry",
        description="Such as 409, 500-599. If empty: 408, 423, 429 and all from 500 on but 501.",
    ),
    "results_path": Field(
        label="Path to results",
        description=(
            "Where a successful answer tells the result of each event, in their order, such as "
            "results[*].status. If there is nothing, the status has said all."
        ),
    ),
    "results_kind": Field(
        label="Kind of results",
        description=(
            "With status, a result is a status such as 201, a boolean, or a word such as ok. With error, "
            "nothing is good and anything else is why the event was refused."
        ),
        choices=results.KINDS,
        default="status",
    ),
    "batch_bytes": Field(
        label="Batch bytes",
        description="The most bytes in one request: 4 MB if empty.",
        type="number",
        minimum=0,
        maximum=4_000_000,
        hidden=True,
    ),
    "batch_keys": Field(
        label="Batch keys",
        description="The fields that events must have in common to share a request.",
        multiple=True,
        default=list(build.SHARED),
        hidden=True,
    ),
}
