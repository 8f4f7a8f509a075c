// The life of every entity through the official SDK, unmodified but for its base address.
// Arguments: base address, token. Prints one JSON object of what it saw; ends with an error if a call does.
import sdk from "@segment/public-api-sdk-typescript";

const [basePath, token] = process.argv.slice(2);
const { DestinationFilterActionV1 } = sdk;

function client(kind) {
  const api = new sdk[kind](basePath);
  api.accessToken = token;
  return api;
}

const sources = client("SourcesApi");
const destinations = client("DestinationsApi");
const filters = client("DestinationFiltersApi");
const catalog = client("CatalogApi");
const seen = {};
const page = { count: 2 };

seen.workspace = (await client("WorkspacesApi").getWorkspace()).body.data.workspace;
seen.echo = (await client("TestingApi").echo("hello")).body.data.message;

// Catalogues, all their pages.
seen.catalogSources = [];
for (let cursor = undefined; ; ) {
  const { sourcesCatalog, pagination } = (await catalog.getSourcesCatalog({ count: 5, cursor })).body.data;
  seen.catalogSources.push(...sourcesCatalog.map((each) => each.slug));
  if (!pagination.next) break;
  cursor = pagination.next;
}
const entries = (await catalog.getDestinationsCatalog({ count: 1000 })).body.data.destinationsCatalog;
const webhook = entries.find((each) => each.slug === "actions-webhook");
seen.webhook = (await catalog.getDestinationMetadata(webhook.id)).body.data.destinationMetadata.name;
const http = (await catalog.getSourceMetadata("iUM16Md8P2")).body.data.sourceMetadata;

// Sources.
const ids = [];
for (const slug of ["one", "two", "three", "four", "five"]) {
  const { response, body } = await sources.createSource({ slug, enabled: true, metadataId: http.id });
  seen.createStatus = response.statusCode;
  ids.push(body.data.source.id);
}
seen.listed = [];
let last;
for (let cursor = undefined; ; ) {
  const { data } = (await sources.listSources({ ...page, cursor })).body;
  seen.listed.push(data.sources.map((each) => each.slug));
  last = data.pagination;
  if (!last.next) break;
  cursor = last.next;
}
seen.previous = (await sources.listSources({ ...page, cursor: last.previous })).body.data.sources.map((s) => s.slug);
seen.total = last.totalEntries;
const id = ids[0];
await sources.updateSource(id, { name: "Renamed", enabled: false });
const source = (await sources.getSource(id)).body.data.source;
seen.source = { name: source.name, enabled: source.enabled, metadata: source.metadata.slug };
const keys = (await sources.createWriteKeyForSource(id)).body.data.source.writeKeys;
seen.keys = keys.length;
seen.removedKey = (await sources.removeWriteKeyFromSource(id, keys[0])).body.data.status;

// Destinations.
const created = (
  await destinations.createDestination({
    sourceId: id,
    metadataId: webhook.id,
    name: "Hook",
    settings: { sharedSecret: "s3cret" },
  })
).body.data.destination;
seen.createdEnabled = created.enabled;
seen.secret = created.settings.sharedSecret;
await destinations.updateDestination(created.id, { enabled: true, name: "Hooked", settings: created.settings });
const destination = (await destinations.getDestination(created.id)).body.data.destination;
seen.destination = { name: destination.name, enabled: destination.enabled, sourceId: destination.sourceId === id };
seen.destinations = (await destinations.listDestinations(page)).body.data.destinations.map((each) => each.name);
seen.connected = (await sources.listConnectedDestinationsFromSource(id, page)).body.data.destinations.length;

// Subscriptions.
const action = webhook.actions.find((each) => each.slug === "send");
const subscription = (
  await destinations.createDestinationSubscription(created.id, {
    name: "Tracks",
    actionId: action.id,
    trigger: 'type = "track"',
    enabled: true,
    settings: { url: "https://example.com", method: "POST", data: { "@path": "$." } },
  })
).body.data.destinationSubscription;
seen.actionSlug = subscription.actionSlug;
await destinations.updateSubscriptionForDestination(created.id, subscription.id, {
  input: { name: "Pages", trigger: 'type = "page"', enabled: false },
});
const read = (await destinations.getSubscriptionFromDestination(created.id, subscription.id)).body.data.subscription;
seen.subscription = { name: read.name, trigger: read.trigger, enabled: read.enabled, settings: read.settings };
seen.subscriptions = (await destinations.listSubscriptionsFromDestination(created.id, page)).body.data.subscriptions.length;

// Filters.
const actions = [{ type: DestinationFilterActionV1.TypeEnum.DROP_PROPERTIES, fields: { properties: ["email"] } }];
const filter = (
  await filters.createFilterForDestination(created.id, {
    sourceId: id,
    title: "No e-mail",
    if: 'type = "track"',
    actions,
    enabled: true,
  })
).body.data.filter;
await filters.updateFilterForDestination(created.id, filter.id, { title: "No address", enabled: false });
const got = (await filters.getFilterInDestination(created.id, filter.id)).body.data.filter;
seen.filter = { title: got.title, enabled: got.enabled, actions: got.actions.length, dated: !!got.createdAt };
seen.filters = (await filters.listFiltersFromDestination(created.id, page)).body.data.filters.length;
seen.preview = (
  await filters.previewDestinationFilter({
    filter: { if: 'type = "track"', actions },
    payload: { type: "track", properties: { email: "a@example.com", plan: "pro" } },
  })
).body.data.result;

// Errors.
seen.errors = {};
async function failing(name, call) {
  try {
    await call();
  } catch (error) {
    seen.errors[name] = { status: error.statusCode, error: error.body.errors[0] };
  }
}
await failing("missing", () => sources.getSource("nope"));
await failing("twice", () => sources.createSource({ slug: "one", enabled: true, metadataId: http.id }));
const stranger = new sdk.SourcesApi(basePath);
stranger.accessToken = "wrong";
await failing("stranger", () => stranger.listSources(page));

// The end of everything.
seen.deleted = [
  (await filters.removeFilterFromDestination(created.id, filter.id)).body.data.status,
  (await destinations.removeSubscriptionFromDestination(created.id, subscription.id)).body.data.status,
  (await destinations.deleteDestination(created.id)).body.data.status,
];
for (const each of ids) seen.deleted.push((await sources.deleteSource(each)).body.data.status);
seen.left = (await sources.listSources(page)).body.data.pagination.totalEntries;

console.log(JSON.stringify(seen));
process.exit(0); // The SDK's HTTP library keeps its connections open.
