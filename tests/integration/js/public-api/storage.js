// Warehouses, selective sync and reverse ETL through the official SDK, unmodified but for its base address.
// Arguments: base address, token, source id, subscription id. Prints one JSON object of what it saw.
import sdk from "@segment/public-api-sdk-typescript";

const [basePath, token, sourceId, subscriptionId] = process.argv.slice(2);
function client(kind) {
  const api = new sdk[kind](basePath);
  api.accessToken = token;
  return api;
}
const failure = (promise) =>
  promise.then(
    () => null,
    (error) => ({ status: error.statusCode, field: error.body.errors[0].field ?? null }),
  );

const warehouses = client("WarehousesApi");
const selective = client("SelectiveSyncApi");
const models = client("ReverseETLApi");
const catalog = client("CatalogApi");
const sources = client("SourcesApi");
const seen = {};
const page = { count: 2 };

// The catalogue.
seen.catalog = [];
for (let cursor = undefined; ; ) {
  const { data } = (await catalog.getWarehousesCatalog({ count: 4, cursor })).body;
  seen.catalog.push(...data.warehousesCatalog.map((each) => each.slug));
  if (!data.pagination.next) break;
  cursor = data.pagination.next;
}
const redshift = (await catalog.getWarehouseMetadata("aea3c55dsz")).body.data.warehouseMetadata;
seen.options = redshift.options.map((each) => [each.name, each.type, each.required]);

// Warehouses.
const settings = { hostname: "db.example.com", database: "d", username: "u", password: "s3cret", port: "5439" };
const created = await warehouses.createWarehouse({ metadataId: redshift.id, name: "Main", settings });
const made = created.body.data.warehouse;
seen.made = [created.response.statusCode, made.enabled, made.metadata.slug, made.settings];
seen.incomplete = await failure(warehouses.createWarehouse({ metadataId: redshift.id, settings: {} }));
seen.validation = (await warehouses.createValidationInWarehouse({ metadataId: redshift.id, settings })).body.data.status;
seen.state = (await warehouses.getConnectionStateFromWarehouse(made.id)).body.data.connectionState;
const changed = (await warehouses.updateWarehouse(made.id, { name: "New", enabled: false, settings: made.settings })).body.data.warehouse;
seen.changed = [changed.enabled, changed.settings.name, changed.settings.password];
seen.read = (await warehouses.getWarehouse(made.id)).body.data.warehouse.settings.hostname;
for (const name of ["a", "b"]) await warehouses.createWarehouse({ metadataId: redshift.id, name, settings });
seen.listed = [];
for (let cursor = undefined; ; ) {
  const { data } = (await warehouses.listWarehouses({ ...page, cursor })).body;
  seen.listed.push(data.warehouses.map((each) => each.settings.name));
  if (!data.pagination.next) break;
  cursor = data.pagination.next;
}

// Connections.
seen.connected = (await warehouses.addConnectionFromSourceToWarehouse(made.id, sourceId)).body.data.status;
seen.sources = (await warehouses.listConnectedSourcesFromWarehouse(made.id, page)).body.data.sources.map((each) => each.id === sourceId);
seen.warehouses = (await sources.listConnectedWarehousesFromSource(sourceId, page)).body.data.warehouses.map((each) => each.id === made.id);

// Selective sync.
const updated = await selective.updateSelectiveSyncForWarehouse(made.id, {
  syncOverrides: [
    { sourceId, collection: "products", enabled: false },
    { sourceId, collection: "orders", property: "total", enabled: false },
  ],
});
seen.updated = updated.body.data;
const items = (await selective.listSelectiveSyncsFromWarehouseAndSource(made.id, sourceId, page)).body.data.items;
seen.items = items.map((each) => [each.collection, each.enabled, each.properties]);
seen.reports = [
  (await selective.listSyncsFromWarehouse(made.id, page)).body.data.reports,
  (await selective.listSyncsFromWarehouseAndSource(made.id, sourceId, page)).body.data.reports,
];
const schedule = { times: [{ hourOfDay: 6, enabled: true }], timezone: "Europe/Berlin" };
seen.replaced = (await selective.replaceAdvancedSyncScheduleForWarehouse(made.id, { enabled: true, schedule })).body.data;
seen.schedule = (await selective.getAdvancedSyncScheduleFromWarehouse(made.id)).body.data;
seen.wrong = await failure(
  selective.replaceAdvancedSyncScheduleForWarehouse(made.id, { enabled: true, schedule: { ...schedule, timezone: "Mars" } }),
);
seen.disconnected = (await warehouses.removeSourceConnectionFromWarehouse(made.id, sourceId)).body.data.status;
seen.deleted = (await warehouses.deleteWarehouse(made.id)).body.data.status;
seen.gone = await failure(warehouses.getWarehouse(made.id));

// Reverse ETL.
const input = {
  sourceId,
  name: "Customers",
  description: "",
  enabled: true,
  scheduleStrategy: sdk.CreateReverseEtlModelInput.ScheduleStrategyEnum.PERIODIC,
  scheduleConfig: { interval: "1h" },
  query: "SELECT id FROM customers",
  queryIdentifierColumn: "id",
};
const model = (await models.createReverseEtlModel(input)).body.data.reverseEtlModel;
seen.model = [model.name, model.scheduleStrategy, model.scheduleConfig];
seen.tooOften = await failure(models.createReverseEtlModel({ ...input, scheduleConfig: { interval: "1m" } }));
const edited = (await models.updateReverseEtlModel(model.id, { enabled: false })).body.data.reverseEtlModel;
seen.edited = [edited.enabled, (await models.getReverseEtlModel(model.id)).body.data.reverseEtlModel.enabled];
seen.models = (await models.listReverseEtlModels(page)).body.data.models.map((each) => each.name);
seen.started = await failure(models.createReverseETLManualSync({ sourceId, modelId: model.id, subscriptionId }));
seen.sync = await failure(models.getReverseETLSyncFromModel(model.id, "none"));
seen.modelDeleted = (await models.deleteReverseEtlModel(model.id)).body.data.status;

console.log(JSON.stringify(seen));
process.exit(0); // The SDK's HTTP library keeps its connections open.
