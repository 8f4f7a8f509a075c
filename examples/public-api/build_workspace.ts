// Builds a workspace with Segment's own SDK: 3 sources, 10 destinations, 30 mappings, 5 filters, a function and
// a warehouse. Only the base address says that this is Onward.
//
//     deno install && deno run -A build_workspace.ts http://127.0.0.1:8080/api TOKEN http://127.0.0.1:9000
//
// The last argument is where events are sent to, such as an `onward sink`. Prints what was made, as JSON.
import sdk from "@segment/public-api-sdk-typescript";

const [base, token, receiver] = process.argv.slice(2);

/** An API of the SDK, at Onward. */
function api<Api extends { accessToken: unknown }>(Kind: new (base: string) => Api): Api {
  const made = new Kind(base);
  made.accessToken = token;
  return made;
}

const sources = api(sdk.SourcesApi);
const destinations = api(sdk.DestinationsApi);
const filters = api(sdk.DestinationFiltersApi);
const functions = api(sdk.FunctionsApi);
const warehouses = api(sdk.WarehousesApi);
const catalog = api(sdk.CatalogApi);

/** Which source has which destinations; those with a star are not told about debugging. */
const PLAN = {
  website: { kind: "javascript", tools: ["crm*", "ads", "mail*", "search"] },
  server: { kind: "node-js", tools: ["billing*", "support", "warehouse-loader"] },
  app: { kind: "apple", tools: ["push*", "crashes", "usage*"] },
};
/** Each destination gets these, each to a path of its own. */
const TRIGGERS = { tracks: 'type = "track"', pages: 'type = "page"', people: 'type = "identify"' };

/** What a call of the SDK has answered. */
async function data<Data>(call: Promise<{ body: { data?: Data } }>): Promise<Data> {
  return (await call).body.data!;
}

/** The entry of a catalogue with this slug. */
function entry<Entry extends { slug: string }>(entries: Entry[], slug: string): Entry {
  const found = entries.find((each) => each.slug === slug);
  if (!found) throw new Error(`the catalogue has no ${slug}`);
  return found;
}

const all = { count: 1000 };
const { sourcesCatalog } = await data(catalog.getSourcesCatalog(all));
const { destinationsCatalog } = await data(catalog.getDestinationsCatalog(all));
const { warehousesCatalog } = await data(catalog.getWarehousesCatalog(all));
const webhook = entry(destinationsCatalog, "actions-webhook");
const send = entry(webhook.actions, "send");
const made = {
  sources: {} as Record<string, { id: string; writeKey: string }>,
  destinations: 0,
  mappings: 0,
  filters: 0,
  function: "",
  warehouse: "",
};

for (const [slug, { kind, tools }] of Object.entries(PLAN)) {
  const metadataId = entry(sourcesCatalog, kind).id;
  const { source } = await data(sources.createSource({ slug, enabled: true, metadataId }));
  made.sources[slug] = { id: source.id, writeKey: source.writeKeys[0] };
  for (const tool of tools) {
    const name = tool.replace("*", "");
    const created = destinations.createDestination({
      sourceId: source.id,
      metadataId: webhook.id,
      name,
      enabled: false,
      settings: {},
    });
    const { id } = (await data(created)).destination;
    made.destinations += 1;
    for (const [what, trigger] of Object.entries(TRIGGERS)) {
      await destinations.createDestinationSubscription(id, {
        name: what,
        actionId: send.id,
        trigger,
        enabled: true,
        settings: { url: `${receiver}/${slug}/${name}/${what}`, method: "POST", data: { "@path": "$." } },
      });
      made.mappings += 1;
    }
    if (tool.endsWith("*")) {
      await filters.createFilterForDestination(id, {
        sourceId: source.id,
        title: "Nothing of debugging",
        if: 'event = "Debug"',
        actions: [{ type: sdk.DestinationFilterActionV1.TypeEnum.DROP }],
        enabled: true,
      });
      made.filters += 1;
    }
    // Last, so that nothing is sent before all of it is in place.
    await destinations.updateDestination(id, { enabled: true });
  }
}

const written = functions.createFunction({
  displayName: "Points",
  resourceType: sdk.CreateFunctionV1Input.ResourceTypeEnum.DESTINATION,
  code: `async function onTrack(event, settings) {
  await fetch(settings.url, { method: "POST", body: JSON.stringify({ member: event.userId }) });
}
`,
  settings: [
    {
      name: "url",
      label: "Address",
      description: "Where points are booked.",
      type: sdk.FunctionSettingV1.TypeEnum.STRING,
      required: true,
      sensitive: false,
    },
  ],
});
made.function = (await data(written)).function.id!;
await functions.createFunctionDeployment(made.function);

const lake = warehouses.createWarehouse({
  metadataId: entry(warehousesCatalog, "duckdb").id,
  name: "Lake",
  enabled: true,
  settings: { path: "lake.duckdb" },
});
made.warehouse = (await data(lake)).warehouse.id;
for (const { id } of Object.values(made.sources)) {
  await warehouses.addConnectionFromSourceToWarehouse(made.warehouse, id);
}

console.log(JSON.stringify(made));
