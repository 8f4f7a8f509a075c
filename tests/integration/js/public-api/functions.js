// Functions, insert functions and edge functions through the official SDK, unmodified but for its base address.
// Arguments: base address, token, source id, destination id. Prints one JSON object of what it saw.
import sdk from "@segment/public-api-sdk-typescript";

const [basePath, token, sourceId, destinationId] = process.argv.slice(2);
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

const functions = client("FunctionsApi");
const destinations = client("DestinationsApi");
const edge = client("EdgeFunctionsApi");
const seen = {};
const page = { count: 2 };
const Type = sdk.FunctionSettingV1.TypeEnum;
const setting = (name, more) => ({ name, label: name, description: "", type: Type.STRING, required: false, sensitive: false, ...more });

// A destination function: written, saved again, restored, deployed.
const settings = [setting("url", { required: true }), setting("apiKey", { sensitive: true })];
const kind = (resourceType) => sdk.CreateFunctionV1Input.ResourceTypeEnum[resourceType];
const input = { code: "// 1", displayName: "Forwarder", resourceType: kind("DESTINATION"), description: "Forwards.", settings };
const made = (await functions.createFunction(input)).body.data.function;
const read = (await functions.getFunction(made.id)).body.data.function;
seen.made = [read.displayName, read.resourceType, read.code, read.deployedAt, read.isLatestVersion, read.settings.length];
seen.again = await failure(functions.createFunction(input));
const changed = (await functions.updateFunction(made.id, { code: "// 2", displayName: "Sender" })).body.data.function;
seen.changed = [changed.displayName, changed.code];
const versions = (await functions.listFunctionVersions(made.id, page)).body.data.versions;
seen.versions = versions.map((each) => [each.code, each.isDeployed, typeof each.author]);
seen.version = (await functions.getFunctionVersion(made.id, versions[1].id)).body.data.version.code;
seen.restored = (await functions.restoreFunctionVersion(made.id, { versionId: versions[1].id })).body.data.version.code;
seen.deployed = (await functions.createFunctionDeployment(made.id)).body.data.functionDeployment.status;
const after = (await functions.getFunction(made.id)).body.data.function;
seen.latest = [after.isLatestVersion, typeof after.deployedAt];

// It is in the catalogue, and connected as any destination.
const catalogue = client("CatalogApi");
const entry = (await catalogue.getDestinationMetadata(made.catalogId)).body.data.destinationMetadata;
seen.entry = [entry.name, entry.options.map((each) => [each.name, each.type, each.required])];
const connected = (
  await destinations.createDestination({
    sourceId,
    metadataId: made.catalogId,
    enabled: true,
    settings: { url: "https://t.example", apiKey: "s3cret" },
  })
).body.data.destination;
seen.connected = [connected.name, connected.settings, connected.metadata.id === made.catalogId];
seen.destination = connected.id;
seen.used = await failure(functions.deleteFunction(made.id));

// An insert function.
const inserted = (
  await functions.createFunction({ ...input, displayName: "Hash", resourceType: kind("INSERT_DESTINATION") })
).body.data.function;
const instance = (
  await functions.createInsertFunctionInstance({
    functionId: inserted.id,
    integrationId: destinationId,
    name: "Before",
    settings: { apiKey: "s3cret" },
  })
).body.data.insertFunctionInstance;
seen.instance = [instance.classId === inserted.id, instance.integrationId === destinationId, instance.enabled, instance.settings, instance.encryptedSettings];
seen.enabling = await failure(functions.updateInsertFunctionInstance(instance.id, { enabled: true, settings: {} }));
const renamed = await functions.updateInsertFunctionInstance(instance.id, { name: "New", settings: { url: "u" } });
seen.renamed = [renamed.body.data.insertFunctionInstance.name, renamed.body.data.insertFunctionInstance.settings];
const got = (await functions.getInsertFunctionInstance(instance.id)).body.data.insertFunctionInstance;
seen.got = [got.name, got.updatedAt >= got.createdAt];
const instances = (await functions.listInsertFunctionInstances(page, inserted.id)).body.data;
seen.instances = [instances.instances.map((each) => each.name), instances.pagination.totalEntries];
seen.instanceDeleted = (await functions.deleteInsertFunctionInstance(instance.id)).body.data.status;
seen.instanceGone = await failure(functions.getInsertFunctionInstance(instance.id));

// Lists, across pages.
for (const name of ["A", "B"]) await functions.createFunction({ ...input, displayName: name });
seen.listed = [];
for (let cursor = undefined; ; ) {
  const { data } = (await functions.listFunctions({ ...page, cursor }, "DESTINATION")).body;
  seen.listed.push(data.functions.map((each) => each.displayName));
  if (!data.pagination.next) break;
  cursor = data.pagination.next;
}
seen.deleted = (await functions.deleteFunction(inserted.id)).body.data.status;
seen.gone = await failure(functions.getFunction(inserted.id));
const stranger = new sdk.FunctionsApi(basePath);
stranger.accessToken = "wrong";
seen.stranger = await failure(stranger.listFunctions(page, "SOURCE"));

// Edge functions.
seen.noEdge = await failure(edge.getLatestFromEdgeFunctions(sourceId));
seen.upload = await failure(edge.generateUploadURLForEdgeFunctions(sourceId));
const bundle = (await edge.createEdgeFunctions(sourceId, { uploadURL: "https://cdn.example.com/e.js" })).body.data.edgeFunctions;
seen.bundle = [bundle.version, bundle.downloadURL, bundle.sourceId === sourceId];
seen.latestBundle = (await edge.getLatestFromEdgeFunctions(sourceId)).body.data.edgeFunctions.id === bundle.id;
const disabled = (await edge.disableEdgeFunctions(sourceId)).body.data.edgeFunctions;
seen.disabled = [disabled.version, disabled.downloadURL];

console.log(JSON.stringify(seen));
process.exit(0); // The SDK's HTTP library keeps its connections open.
