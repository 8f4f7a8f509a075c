"""A small identity provider of OpenID Connect: whoever comes is `person`, without being asked."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT = "onward"
HEADER = {"alg": "RS256", "kid": "k1"}


class Provider:
    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "alg": "RS256", "use": "sig"})
        self.signing = self.key
        """Another than `key`, and tokens are not good."""
        self.person = {"sub": "42", "name": "Bob", "email": "bob@example.com", "email_verified": True}
        self.refusal: str | None = None
        """What it says instead of letting somebody through (RFC 6749 §4.1.2.1)."""
        provider, self._nonces = self, dict[str, str]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(url.query).items()}
                match url.path:
                    case "/.well-known/openid-configuration":
                        self._answer(provider.configuration)
                    case "/keys":
                        self._answer({"keys": [provider.key.as_dict(private=False)]})
                    case "/authorize":
                        self.send_response(302)
                        self.send_header("location", provider.back(asked))
                        self.end_headers()

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                self._answer(provider.tokens(form["code"][0]))

            def _answer(self, body: Any) -> None:
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.issuer = f"http://{self.host}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def configuration(self) -> dict[str, str]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return {"issuer": self.issuer} | {name: f"{self.issuer}/{path}" for name, path in names.items()}

    def back(self, asked: dict[str, str]) -> str:
        """Where the browser is sent."""
        code = f"code-{len(self._nonces)}"
        self._nonces[code] = asked["nonce"]
        answer = {"error": self.refusal} if self.refusal else {"code": code}
        return f"{asked['redirect_uri']}?{urlencode(answer | {'state': asked['state']})}"

    def tokens(self, code: str) -> dict[str, str]:
        claims = {"iss": self.issuer, "aud": CLIENT, "exp": int(time.time()) + 300} | self.person
        token = jwt.encode(HEADER, claims | {"nonce": self._nonces[code]}, self.signing)
        return {"id_token": token, "access_token": "unused"}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
