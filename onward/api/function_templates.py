"""Functions to start from (spec §10.1, §10.10)."""

from typing import TypedDict

import msgspec
from litestar import Router, get

from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.context import ApiRequest
from onward.api.functions import Kind
from onward.api.query import read_query
from onward.functions.templates import Template, templates


class TemplatesQuery(msgspec.Struct, rename="camel"):
    resource_type: Kind | None = None
    """All kinds unless given."""


class TemplateView(TypedDict):
    slug: str
    title: str
    description: str
    resourceType: Kind
    settings: list[Json]
    """As `createFunction` takes them."""
    code: str


class TemplatesAnswer(TypedDict):
    templates: list[TemplateView]


@get(
    "/templates",
    operation_id="listFunctionTemplates",
    sync_to_thread=False,
    query=TemplatesQuery,
    answer=TemplatesAnswer,
)
def list_templates(request: ApiRequest) -> Json:
    """Functions that work, to be made one's own."""
    kind = read_query(request, TemplatesQuery).resource_type
    return answer(templates=[_view(each) for each in templates() if kind in (None, each.kind)])


def _view(template: Template) -> TemplateView:
    return {
        "slug": template.slug,
        "title": template.title,
        "description": template.description,
        "resourceType": template.kind,
        "settings": msgspec.to_builtins(template.settings),
        "code": template.code,
    }


router = Router("/functions", route_handlers=[list_templates])
