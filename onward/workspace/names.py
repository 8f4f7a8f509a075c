"""Rules for names and slugs."""

import re

from onward.workspace.errors import Invalid

SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")
MAX_NAME = 255


def check_slug(slug: str) -> None:
    if not SLUG.fullmatch(slug):
        raise Invalid(
            "a slug has up to 255 letters, digits, dots, dashes and underscores, and starts with a letter "
            f"or digit; {slug[:80]!r} does not",
            field="slug",
        )


def check_name(name: str, field: str = "name", longest: int = MAX_NAME) -> None:
    if not name.strip():
        raise Invalid(f"the {field} is empty", field=field)
    if len(name) > longest:
        raise Invalid(f"the {field} has {len(name)} characters; {longest} are allowed", field=field)
    if not name.isprintable():
        raise Invalid(f"the {field} holds a character that can't be shown", field=field)
