// Tracking plans, schema settings and transformations through the official SDK.
// Arguments: base address, token. Prints one JSON object of what it saw; ends with an error if a call does.
import sdk from "@segment/public-api-sdk-typescript";

const [basePath, token] = process.argv.slice(2);

function client(kind) {
  const api = new sdk[kind](basePath);
  api.accessToken = token;
  return api;
}

const sources = client("SourcesApi");
const plans = client("TrackingPlansApi");
const transformations = client("TransformationsApi");
const page = { count: 2 };
const seen = {};

const catalog = (await client("CatalogApi").getSourcesCatalog({ count: 1 })).body.data.sourcesCatalog;
const made = [];
for (const slug of ["one", "two"]) {
  const created = await sources.createSource({ slug, enabled: true, metadataId: catalog[0].id });
  made.push(created.body.data.source.id);
}

// Tracking plans and their rules.
const plan = (await plans.createTrackingPlan({ name: "Plan", type: "LIVE", description: "d" })).body.data.trackingPlan;
seen.plan = { name: plan.name, type: plan.type, description: plan.description, created: typeof plan.createdAt };
seen.updated = (await plans.updateTrackingPlan(plan.id, { name: "Renamed" })).body.data.status;
seen.renamed = (await plans.getTrackingPlan(plan.id)).body.data.trackingPlan.name;
seen.templates = (await plans.listTrackingPlans(page, "TEMPLATE")).body.data.trackingPlans.length;
seen.live = (await plans.listTrackingPlans(page, "LIVE")).body.data.trackingPlans.map((each) => each.name);
const rule = (key, more) => ({ type: "TRACK", key, version: 1, jsonSchema: { type: "object" }, ...more });
await plans.replaceRulesInTrackingPlan(plan.id, { rules: [rule("A"), rule("B"), rule("C")] });
await plans.updateRulesInTrackingPlan(plan.id, { rules: [rule("A", { newKey: "A2" }), rule("D")] });
seen.rules = [];
for (let cursor = undefined; ; ) {
  const { rules, pagination } = (await plans.listRulesFromTrackingPlan(plan.id, { ...page, cursor })).body.data;
  seen.rules.push(...rules.map((each) => each.key));
  if (!pagination.next) break;
  cursor = pagination.next;
}
const gone = [{ type: "TRACK", key: "B", version: 1 }, { type: "TRACK", key: "C", version: 1 }];
seen.removed = (await plans.removeRulesFromTrackingPlan(plan.id, gone)).body.data.status;
seen.left = (await plans.listRulesFromTrackingPlan(plan.id, page)).body.data.rules.map((each) => each.key);

// Sources of a plan, and their schema settings.
seen.connected = (await plans.addSourceToTrackingPlan(plan.id, { sourceId: made[0] })).body.data.status;
seen.sources = (await plans.listSourcesFromTrackingPlan(plan.id, page)).body.data.sources.map((each) => each.slug);
seen.planOfSource = (await sources.getSource(made[0])).body.data.trackingPlanId === plan.id;
await sources.updateSchemaSettingsInSource(made[0], {
  track: { allowUnplannedEvents: false, commonEventOnViolations: "BLOCK" },
  identify: { allowUnplannedTraits: false },
  forwardingBlockedEventsTo: made[1],
});
const { settings } = (await sources.listSchemaSettingsInSource(made[0])).body.data;
seen.settings = {
  track: settings.track.allowUnplannedEvents,
  common: settings.track.commonEventOnViolations,
  identify: settings.identify.allowUnplannedTraits,
  group: settings.group.allowUnplannedTraits,
  forwarded: settings.forwardingBlockedEventsTo === made[1],
};
seen.disconnected = (await plans.removeSourceFromTrackingPlan(plan.id, made[0])).body.data.status;

// Transformations.
const { body } = await transformations.createTransformation({
  name: "Hash",
  sourceId: made[0],
  enabled: true,
  if: "type='identify'",
  hashPropertiesConfiguration: { algorithm: "SHA256", key: "secret", encoding: "HEX", paths: ["email"] },
});
const { id, hashPropertiesConfiguration } = body.data.transformation;
seen.hash = hashPropertiesConfiguration;
await transformations.createTransformation({
  name: "Values",
  sourceId: made[0],
  enabled: false,
  if: "event='A'",
  newEventName: "B",
  propertyRenames: [{ oldName: "a", newName: "b" }],
  propertyValueTransformations: [{ propertyPaths: ["properties.c"], propertyValue: "C" }],
  allowProperties: ["b"],
});
const changed = await transformations.updateTransformation(id, { name: "Renamed", enabled: false });
seen.transformation = changed.body.data.transformation.name;
seen.one = (await transformations.getTransformation(id)).body.data.transformation.if;
seen.all = (await transformations.listTransformations(page)).body.data.transformations.map((each) => each.name);
seen.deleted = (await transformations.deleteTransformation(id)).body.data.status;

// What can be wrong.
const failure = (promise) =>
  promise.then(
    () => null,
    (error) => ({ status: error.statusCode ?? error.response?.statusCode, body: error.body }),
  );
seen.wrong = (await failure(plans.updateRulesInTrackingPlan(plan.id, { rules: [rule("X", { jsonSchema: 5 })] }))).status;
seen.missing = (await failure(transformations.getTransformation(id))).status;
seen.planDeleted = (await plans.deleteTrackingPlan(plan.id)).body.data.status;
console.log(JSON.stringify(seen));
