"""The form that builds triggers (ours): what it offers, and the trigger that its conditions make (spec §9.2).

The rules are in `onward.pipeline.triggers.builder`. The other way round, from a trigger to its conditions,
is the tree of `previewTrigger`.
"""

from typing import Literal, TypedDict

import msgspec
from litestar import get, post
from litestar.params import RawBody

from onward.api.answers import Json
from onward.api.answers import data as answer
from onward.api.bodies import Body
from onward.pipeline.triggers.ast import Condition, Subject, TriggerError
from onward.pipeline.triggers.builder import LABELS, OFFERED, WITH_NUMBER, WITHOUT_VALUE, build
from onward.workspace.shapes import from_json


class OperatorView(TypedDict):
    operator: str
    label: str
    value: Literal["none", "number", "text"]
    """What it compares with."""


class SubjectView(TypedDict):
    subject: Subject
    named: bool
    """Whether a condition also names the property, trait or part of the context."""
    operators: list[OperatorView]


class TriggerForm(TypedDict):
    subjects: list[SubjectView]


class TriggerFormAnswer(TypedDict):
    form: TriggerForm


class GivenCondition(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    type: Subject
    operator: str
    value: str | int | float | bool | None = None
    name: str | None = None


class GenerateTrigger(Body, kw_only=True):
    conditions: list[GivenCondition]
    match: Literal["all", "any"] = "all"


class GeneratedTrigger(TypedDict):
    trigger: str | None
    error: str | None
    """Why the language has no words for it."""


class GeneratedTriggerAnswer(TypedDict):
    generated: GeneratedTrigger


@get("/triggers/form", operation_id="getTriggerForm", sync_to_thread=False, answer=TriggerFormAnswer)
def get_form() -> Json:
    """What a trigger can compare, and how."""
    return answer(
        form={
            "subjects": [
                {
                    "subject": subject,
                    "named": subject.startswith("event-") and subject != "event-type",
                    "operators": [
                        {
                            "operator": each,
                            "label": LABELS[each],
                            "value": "none"
                            if each in WITHOUT_VALUE
                            else "number"
                            if each in WITH_NUMBER
                            else "text",
                        }
                        for each in operators
                    ],
                }
                for subject, operators in OFFERED.items()
            ]
        }
    )


@post(
    "/triggers/generate",
    operation_id="generateTrigger",
    sync_to_thread=False,
    status_code=200,
    body=GenerateTrigger,
    answer=GeneratedTriggerAnswer,
)
def generate_trigger(body: RawBody) -> Json:
    """The trigger for which all, or any, of some conditions hold."""
    given = from_json(GenerateTrigger, body)
    conditions = [Condition(each.type, each.operator, each.value, each.name) for each in given.conditions]
    try:
        return answer(generated={"trigger": build(conditions, given.match), "error": None})
    except TriggerError as error:
        return answer(generated={"trigger": None, "error": error.message})
