"""A connection to an SFTP server, through the address guard.

- The guard resolves the host and judges its addresses; the socket is connected to one of just these and
  handed to asyncssh, which resolves nothing. Nothing of this machine's user is read: no configuration, no
  agent, no keys, no known hosts.
- Segment's destination takes any server for the right one. So does this, unless `sftp_host_key` names the
  key that the server must show: there is no first use to be trusted, as processes keep no list of their own.
- A connection is for one call, as at Segment's.
"""

import asyncio
import logging
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from onward.destinations.definition import Call
from onward.destinations.outcome import Outcome, discarded, retry
from onward.egress.http import EgressError

if TYPE_CHECKING:
    from asyncssh import SFTPClient, SSHClientConnection, SSHKey

PORT = 22
CLOSING = 2.0
"""Seconds for a polite goodbye."""

# It tells of every connection and login otherwise.
logging.getLogger("asyncssh").setLevel(logging.WARNING)

_KEY = re.compile(r"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL)
_LINE = 64


class SftpError(Exception):
    """`outcome` is what this means for the payloads."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


@asynccontextmanager
async def connected(call: Call) -> "AsyncIterator[SFTPClient]":
    """Raises `SftpError` and `EgressError` until it is connected."""
    options = _options(call.settings)
    host, port = _place(call.settings)
    try:
        async with asyncio.timeout(call.timeout):
            sock = await _socket(await call.http.resolve(host), port, host)
            connection = await _handshake(sock, host, options)
            try:
                client = await _errors(connection.start_sftp_client(), host)
            except BaseException:
                connection.abort()
                raise
    except TimeoutError:
        raise EgressError("ETIMEDOUT", f"{host} has not let us in within {call.timeout:g} s") from None
    try:
        yield client
    except BaseException:
        connection.abort()
        raise
    connection.close()
    try:
        async with asyncio.timeout(CLOSING):
            await connection.wait_closed()
    except Exception:  # all is done; how it ends does not matter
        connection.abort()


def _place(settings: Mapping[str, Any]) -> tuple[str, int]:
    host = str(settings.get("sftp_host") or "").strip()
    if not host or "/" in host or "@" in host:
        raise _settings(
            f"sftp_host is {host[:100]!r}; it should be a name or address, such as sftp.example.com"
        )
    port = settings.get("sftp_port") or PORT
    if not isinstance(port, int | float) or not 0 < int(port) < 65536:
        raise _settings(f"sftp_port is {port!r}, not the number of a port")
    return host.strip("[]"), int(port)


async def _socket(addresses: list[str], port: int, host: str) -> socket.socket:
    """Connected to the first of the addresses that takes us; raises `EgressError`."""
    loop = asyncio.get_running_loop()
    failure = EgressError("ENOTFOUND", f"{host} has no address")
    for address in addresses:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, (address, port))
        except OSError as error:
            sock.close()
            failure = EgressError(_errno(error), f"{address} port {port}: {error.strerror or error}")
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def _errno(error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "ECONNREFUSED"
    return "ECONNRESET" if isinstance(error, ConnectionError) else "EHOSTUNREACH"


async def _handshake(sock: socket.socket, host: str, options: dict[str, Any]) -> "SSHClientConnection":
    import asyncssh

    nothing_of_ours = {"config": None, "agent_path": None, "gss_host": None, "x509_trusted_certs": None}
    try:
        connection: SSHClientConnection = await _errors(
            asyncssh.connect(host, sock=sock, **nothing_of_ours, **options), host
        )
    except BaseException:
        sock.close()
        raise
    return connection


async def _errors(work: Any, host: str) -> Any:
    """Its result, or `SftpError` and `EgressError` for what asyncssh raises while connecting."""
    import asyncssh

    try:
        return await work
    except asyncssh.PermissionDenied as error:
        raise SftpError(
            discarded("401", f"{host} refuses the username, password or key: {error.reason}")
        ) from None
    except asyncssh.HostKeyNotVerifiable:
        raise _settings(f"the key that {host} shows is not that of sftp_host_key") from None
    except asyncssh.KeyExchangeFailed as error:
        raise _settings(f"{host} offers no key or cipher that is accepted: {error.reason}") from None
    except asyncssh.ChannelOpenError as error:
        raise SftpError(retry("ECONNABORTED", f"{host} opens no SFTP session: {error.reason}")) from None
    except (asyncssh.DisconnectError, asyncssh.SFTPError) as error:
        raise EgressError("ECONNRESET", f"{host} ended the connection: {error.reason}") from None
    except OSError as error:
        raise EgressError(_errno(error), f"{host}: {error.strerror or error}") from None


def _options(settings: Mapping[str, Any]) -> dict[str, Any]:
    username = settings.get("sftp_username")
    if not username:
        raise _settings("sftp_username is empty")
    options: dict[str, Any] = {
        "username": username,
        "known_hosts": _known_hosts(settings.get("sftp_host_key")),
    }
    if settings.get("auth_type") == "ssh_key":
        options |= {"client_keys": [private_key(settings.get("sftp_ssh_key"))], "password": None}
    elif settings.get("sftp_password"):
        options |= {"client_keys": None, "password": settings["sftp_password"]}
    else:
        raise _settings("sftp_password is empty; it is needed unless auth_type is ssh_key")
    return options


def private_key(text: Any) -> "SSHKey":
    """From a key file's text, also one whose line breaks were lost; raises `SftpError`."""
    import asyncssh

    pasted = str(text or "").strip().replace("\r\n", "\n").replace("\r", "\n")
    if not pasted:
        raise _settings("sftp_ssh_key is empty; it is needed where auth_type is ssh_key")
    for form in (pasted, _relined(pasted)):
        try:
            return asyncssh.import_private_key(form + "\n")
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError) as error:
            if "passphrase" in str(error).lower():
                raise _settings("sftp_ssh_key is locked with a passphrase; it must be one without") from None
    raise _settings("sftp_ssh_key is not a private key; paste the whole key file")


def _relined(text: str) -> str:
    """The same key with its lines as a key file has them."""
    match = _KEY.search(text)
    if match is None:
        return text
    kind, body = match[1], "".join(match[2].split())
    lines = [body[at : at + _LINE] for at in range(0, len(body), _LINE)]
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"])


def _known_hosts(text: Any) -> "tuple[list[SSHKey], list[SSHKey], list[SSHKey]] | None":
    """The keys that the server may show, from lines as of `ssh-keyscan` or a .pub file; None for any."""
    import asyncssh

    keys: list[SSHKey] = []
    for line in str(text or "").splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        for start in (0, 1):  # with or without the host before it
            try:
                keys.append(asyncssh.import_public_key(" ".join(words[start : start + 2])))
                break
            except (asyncssh.KeyImportError, ValueError):
                continue
        else:
            raise _settings(
                f"sftp_host_key: {line[:60]!r} is not a public key, such as `ssh-ed25519 AAAA…`; "
                "`ssh-keyscan` prints them"
            )
    return (keys, [], []) if keys else None


def _settings(message: str) -> SftpError:
    return SftpError(discarded("INVALID_SETTINGS", message))
