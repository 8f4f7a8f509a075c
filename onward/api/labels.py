"""Labels of the workspace and of sources."""

from typing import TypedDict

from litestar import delete, get, post, put
from litestar.params import RawBody

from onward.api.answers import SUCCESS, Done, Json, LabelView
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.api.context import Context, Id, InContext
from onward.api.iam.shapes import LabelIn
from onward.workspace import labels as edit
from onward.workspace.entities import Label
from onward.workspace.errors import at
from onward.workspace.shapes import from_json
from onward.workspace.sources import get_source


class CreateLabel(Body):
    label: LabelIn


class Labels(Body):
    labels: list[LabelIn]


class LabelAnswer(TypedDict):
    label: LabelView


class LabelsAnswer(TypedDict):
    labels: list[LabelView]


@get("/labels", operation_id="listLabels", sync_to_thread=True, answer=LabelsAnswer)
def list_labels(context: InContext) -> Json:
    with context.reading() as session:
        return answer(labels=[_view(label) for label in edit.all_labels(session, context.workspace_id)])


@post(
    "/labels",
    operation_id="createLabel",
    sync_to_thread=True,
    status_code=201,
    body=CreateLabel,
    answer=LabelAnswer,
)
def create_label(context: InContext, body: RawBody) -> Json:
    data = from_json(CreateLabel, body).label
    with context.changing() as editor, at("label"):
        return answer(label=_view(edit.create_label(editor, data.key, data.value, data.description)))


@delete(
    "/labels/{key:str}/{value:str}",
    operation_id="deleteLabel",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def delete_label(context: InContext, key: Id, value: Id) -> Json:
    """And take it off the sources that bear it."""
    with context.changing() as editor:
        edit.delete_label(editor, edit.find_label(editor.session, context.workspace_id, key, value))
        return SUCCESS


@post(
    "/sources/{source_id:str}/labels",
    operation_id="addLabelsToSource",
    sync_to_thread=True,
    status_code=200,
    body=Labels,
    answer=LabelsAnswer,
)
def add_labels(context: InContext, source_id: Id, body: RawBody) -> Json:
    return _label(context, source_id, body, replace=False)


@put(
    "/sources/{source_id:str}/labels",
    operation_id="replaceLabelsInSource",
    shown_by="getSource",
    sync_to_thread=True,
    body=Labels,
    answer=LabelsAnswer,
)
def replace_labels(context: InContext, source_id: Id, body: RawBody) -> Json:
    return _label(context, source_id, body, replace=True)


def _label(context: Context, source_id: str, body: bytes, *, replace: bool) -> Json:
    data = from_json(Labels, body)
    with context.changing() as editor:
        source = get_source(editor.session, context.workspace_id, source_id)
        labels = [{"key": label.key, "value": label.value} for label in data.labels]
        edit.label_source(editor, source, labels, replace=replace)
        return answer(labels=source.labels)


def _view(label: Label) -> LabelView:
    view: LabelView = {"key": label.key, "value": label.value}
    if label.description:
        view["description"] = label.description
    return view


ROUTES = [list_labels, create_label, delete_label, add_labels, replace_labels]
