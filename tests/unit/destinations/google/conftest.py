"""A token endpoint as Google documents it: it checks the form, and the signature of an assertion."""

import asyncio
import time
from base64 import urlsafe_b64decode
from urllib.parse import parse_qs

import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from onward.egress.http import Request, Response

TOKEN_URI = "https://oauth2.googleapis.com/token"
EMAIL = "onward@project-1.iam.gserviceaccount.com"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture(scope="session")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def key_file(private_key) -> str:
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return orjson.dumps(
        {
            "type": "service_account",
            "project_id": "project-1",
            "private_key_id": "key-1",
            "private_key": pem,
            "client_email": EMAIL,
            "client_id": "1",
            "token_uri": TOKEN_URI,
        }
    ).decode()


class Google:
    """`answers` are given in turn, whatever is asked; without one, the endpoint judges by itself."""

    def __init__(self, public_key: rsa.RSAPublicKey) -> None:
        self.public_key = public_key
        self.refresh_token = "1//refresh"
        self.lifetime = 3600
        self.answers: list[Response | Exception] = []
        self.asked: list[dict[str, str]] = []
        self.claims: list[dict] = []
        self.granted: list[str] = []
        self.revoked: set[str] = set()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def answer(self, status: int, body: object, **headers: str) -> None:
        self.answers.append(_response(status, body, **headers))

    async def send(self, request: Request) -> Response:
        if request.url == TOKEN_URI:
            assert request.method == "POST"
            assert request.headers["content-type"] == "application/x-www-form-urlencoded"
            form = {name: value for name, (value,) in parse_qs(request.body.decode()).items()}
            self.asked.append(form)
            await self.may_answer.wait()
            if self.answers:
                answer = self.answers.pop(0)
                if isinstance(answer, Exception):
                    raise answer
                return answer
            return self._grant(form)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.granted or token in self.revoked:
            return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        return await self.serve(request)

    async def serve(self, request: Request) -> Response:
        return _response(200, {"url": request.url})

    async def resolve(self, host: str) -> list[str]:
        raise AssertionError("only HTTP is spoken")

    async def close(self) -> None: ...

    def _grant(self, form: dict[str, str]) -> Response:
        if form["grant_type"] == JWT_BEARER:
            problem = self._check(form["assertion"])
        elif form["grant_type"] == "refresh_token":
            assert form["client_id"] and form["client_secret"]
            problem = "" if form["refresh_token"] == self.refresh_token else "Token has been revoked."
        else:
            return _response(400, {"error": "unsupported_grant_type"})
        if problem:
            return _response(400, {"error": "invalid_grant", "error_description": problem})
        self.granted.append(f"ya29.{len(self.granted)}")
        return _response(
            200,
            {"access_token": self.granted[-1], "expires_in": self.lifetime, "token_type": "Bearer"},
        )

    def _check(self, assertion: str) -> str:
        head, body, signature = assertion.split(".")
        try:
            self.public_key.verify(
                _decode(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), SHA256()
            )
        except InvalidSignature:
            return "Invalid JWT Signature."
        assert orjson.loads(_decode(head)) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"}
        claims = orjson.loads(_decode(body))
        self.claims.append(claims)
        assert (claims["iss"], claims["aud"]) == (EMAIL, TOKEN_URI)
        assert claims["exp"] - claims["iat"] <= 3600
        assert abs(claims["iat"] - time.time()) < 60
        return ""


def error(code: int, status: str, message: str, **headers: str) -> Response:
    """As Google's APIs tell of one (google.rpc.Status in JSON)."""
    return _response(code, {"error": {"code": code, "message": message, "status": status}}, **headers)


def _response(status: int, body: object, **headers: str) -> Response:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=headers, body=orjson.dumps(body))


def _decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture
def google(private_key) -> Google:
    return Google(private_key.public_key())
