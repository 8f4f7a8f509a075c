"""Settings of things that have secrets among them: kept apart, sealed for the thing and the setting.

given, with masks  →  checked by the definition  →  `settings` in clear text, `secrets` sealed
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from onward.workspace.definitions import Definition, is_secret
from onward.workspace.errors import Invalid
from onward.workspace.secrets import MASK, Cipher
from onward.workspace.values import settle

Identity = Callable[[str], str]
"""Setting → what its sealed value is bound to."""


class Holder(Protocol):
    settings: Any
    secrets: Any
    """Setting → its value, sealed."""


def open_settings(holder: Holder, cipher: Cipher, identity: Identity) -> dict[str, Any]:
    """All settings in clear text."""
    opened = {name: cipher.open_value(sealed, identity(name)) for name, sealed in holder.secrets.items()}
    return {**holder.settings, **opened}


def set_settings(
    holder: Holder,
    cipher: Cipher,
    identity: Identity,
    definition: Definition,
    given: Mapping[str, Any],
    *,
    complete: bool = True,
) -> None:
    """Merge what is given into what is stored; raises `Invalid`. Secrets that stay are not sealed anew.
    Only a `complete` holder must have all that is required."""
    stored = open_settings(holder, cipher, identity)
    settings, secrets = settle(definition, unmask(definition, given, stored), stored, complete=complete)
    holder.settings = settings
    holder.secrets = {
        name: holder.secrets[name]
        if name in holder.secrets and stored.get(name) == value
        else cipher.seal_value(value, identity(name))
        for name, value in secrets.items()
    }


def shown(holder: Holder) -> dict[str, Any]:
    """Settings for answers: secrets show as a mask, which may be sent back to keep them."""
    return {**holder.settings, **dict.fromkeys(holder.secrets, MASK)}


def unmask(definition: Definition, given: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with masks that came back replaced by the secrets that they stand for; raises `Invalid`."""
    values = dict(given)
    for name, value in given.items():
        field = definition.settings.get(name)
        if field is not None and is_secret(field) and value == MASK:
            if name not in stored:
                raise Invalid("this is the mask of a secret, but none is stored", field=f"settings.{name}")
            values[name] = stored[name]
    return values
