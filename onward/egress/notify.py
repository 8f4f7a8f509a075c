"""Saying something to people: a webhook, Slack, or a mail.

Webhooks and Slack go the one way out, with its guard. Mail goes to the one server that the operator has set,
which is no address of a user's, over `smtplib` in a thread.
"""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import msgspec

from onward.egress.http import Client, EgressError, Request
from onward.settings import Settings

TIMEOUT = 10.0
"""Seconds for one message."""


class NotSent(Exception):
    """The message did not go out; says why, in one sentence without secrets."""


class Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a webhook gets as JSON; the other channels say the same in words."""

    alert_id: str
    name: str
    type: str
    status: str
    """`TRIGGERED`, `RESOLVED` or `TEST`."""
    summary: str
    target: str
    """Id of the source or destination; '' for none."""
    time: str

    @property
    def headline(self) -> str:
        words = {"TRIGGERED": "Alert", "RESOLVED": "Resolved", "TEST": "Test of the alert"}
        return f"{words[self.status]}: {self.name}"


async def say(client: Client, settings: Settings, type: str, address: str | None, message: Message) -> None:
    """Over one channel: `EMAIL`, `SLACK` or `WEBHOOK`; `IN_APP` needs nothing. Raises `NotSent`."""
    if type == "EMAIL":
        await mail(settings, address or "", message)
    elif type == "SLACK":
        await slack(client, address or "", message)
    elif type == "WEBHOOK":
        await webhook(client, address or "", message)


async def webhook(client: Client, url: str, message: Message) -> None:
    """Raises `NotSent`."""
    await _post(client, url, msgspec.json.encode(message))


async def slack(client: Client, url: str, message: Message) -> None:
    """Slack's incoming webhooks, and workflows that take a `text`. Raises `NotSent`."""
    text = f"*{_plain(message.headline)}*\n{_plain(message.summary)}"
    await _post(client, url, msgspec.json.encode({"text": text}))


async def mail(settings: Settings, address: str, message: Message) -> None:
    """Raises `NotSent`."""
    if settings.smtp_host is None:
        raise NotSent("no mail server is set (smtp_host)")
    await asyncio.to_thread(_mail, settings, address, message)


async def _post(client: Client, url: str, body: bytes) -> None:
    headers = {"content-type": "application/json", "user-agent": "onward-alerts"}
    try:
        response = await client.send(Request(url=url, headers=headers, body=body, timeout=TIMEOUT, keep=0))
    except EgressError as error:
        raise NotSent(f"{error.code}: the address gives no answer") from error
    if response.status >= 300:
        raise NotSent(f"the address answered {response.status}")


def _mail(settings: Settings, address: str, message: Message) -> None:
    assert settings.smtp_host is not None
    letter = EmailMessage()
    letter["From"] = settings.smtp_from or f"onward@{settings.smtp_host}"
    letter["To"] = address
    letter["Subject"] = " ".join(message.headline.split())[:200]
    letter["Date"] = formatdate()
    letter["Message-ID"] = make_msgid(domain="onward")
    letter.set_content(f"{message.summary}\n\n{message.time}\n")
    try:
        with _connected(settings, settings.smtp_host) as server:
            if settings.smtp_user is not None:
                server.login(settings.smtp_user, settings.smtp_password or "")
            server.send_message(letter)
    except smtplib.SMTPAuthenticationError:
        raise NotSent("the mail server does not accept smtp_user and smtp_password") from None
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(f"the mail server could not be used ({type(error).__name__})") from error


def _connected(settings: Settings, host: str) -> smtplib.SMTP:
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(
            host, settings.smtp_port, timeout=TIMEOUT, context=ssl.create_default_context()
        )
    server = smtplib.SMTP(host, settings.smtp_port, timeout=TIMEOUT)
    if settings.smtp_security == "starttls":
        server.starttls(context=ssl.create_default_context())
    return server


def _plain(text: str) -> str:
    """For Slack, which reads some signs as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
