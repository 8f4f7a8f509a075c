"""Mappings are edited, and actions leave the catalogue, while payloads wait for a retry."""

import msgspec
from rig import EVERYTHING, QUICK, Rig

from onward.delivery.plan import Plan
from onward.destinations.catalog import Catalogue
from onward.destinations.definition import Action, Definition, Field
from onward.destinations.outcome import DELIVERED, discarded, retry
from onward.metering.fates import Redrive
from onward.workspace.snapshot import Subscription


class Tool:
    """A destination with two actions, and what each of them got."""

    def __init__(self, rig, **mapping):
        self.rig = rig
        self.mapping = mapping
        self.got = []
        self.answer = lambda: DELIVERED
        rig.plan = self.plan("track")

    def plan(self, chosen, offered=("track", "order")):
        actions = {slug: self._action(slug) for slug in offered}
        definition = Definition(slug="test", id="0" * 24, name="Tool", description="", actions=actions)
        mapping = {"id": {"@path": "$.messageId"}, "for": chosen, **self.mapping}
        subscription = Subscription(id="sub", name="M", action=chosen, trigger=EVERYTHING, mapping=mapping)
        destination = msgspec.structs.replace(self.rig.plan.destination, subscriptions=(subscription,))
        return Plan.of(destination, None, Catalogue(native=[definition]))

    def _action(self, slug):
        async def perform(call, payloads):
            self.got += [(slug, payload["for"]) for payload in payloads]
            return self.answer()

        fields = {"id": Field(label="Id"), "for": Field(label="For")}
        fields["enable_batching"] = Field(label="Batch", type="boolean")
        fields["batch_size"] = Field(label="Size", type="number")
        return Action(slug=slug, title=slug, description="", perform=perform, fields=fields, batches=True)


async def test_a_payload_goes_to_the_action_that_it_was_made_for(tmp_path):
    rig = Rig(tmp_path)
    tool = Tool(rig)
    tool.answer = lambda: retry("503", "busy")
    rig.append(1)
    async with rig.running() as loop:
        await rig.until(lambda: tool.got)
        loop.update(tool.plan("order"))
        tool.answer = lambda: DELIVERED
        rig.append(1)
        await rig.settled()
    assert set(tool.got) == {("track", "track"), ("order", "order")}


async def test_payloads_of_a_mapping_before_and_after_an_edit_share_no_request(tmp_path):
    rig = Rig(tmp_path, policy=msgspec.structs.replace(QUICK, batch_wait=3600.0))
    tool = Tool(rig, enable_batching=True, batch_size=6)
    rig.append(3)
    async with rig.running() as loop:
        await rig.until(lambda: loop._batcher.waiting == 3)
        loop.update(tool.plan("order"))
        rig.append(6)
        await rig.until(lambda: len(tool.got) == 6)
    assert tool.got == [("order", "order")] * 6


async def test_so_does_one_that_is_sent_again_as_it_was(tmp_path):
    rig = Rig(tmp_path)
    tool = Tool(rig)
    tool.answer = lambda: discarded("400", "no")
    rig.append(1)
    async with rig.running() as loop:
        await rig.settled()
        loop.update(tool.plan("order"))
        loop.redrive(Redrive(as_it_was=True), rig.store.discards("d"))
        await rig.until(lambda: len(tool.got) == 2)
    assert tool.got == [("track", "track")] * 2


async def test_an_action_that_the_catalogue_has_no_more_says_so(tmp_path):
    rig = Rig(tmp_path)
    tool = Tool(rig)
    rig.plan = tool.plan("track", offered=("order",))
    rig.append(1)
    async with rig.running():
        await rig.settled()
    (discard,) = rig.store.discards("d")
    assert discard.code == "INVALID_SETTINGS"
    assert discard.message == "Tool has no action track any more: give the mapping another"
