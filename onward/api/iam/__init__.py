"""Users, groups, invitations and roles (spec §17.1)."""

from typing import Any

from onward.api.iam import groups, invites, users

ROUTES: list[Any] = [users.router, *groups.routes, *invites.routes]
