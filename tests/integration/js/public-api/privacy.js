// Deletion, suppression and numbers through the official SDK, unmodified but for its base address.
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

const regulations = client("DeletionAndSuppressionApi");
const overview = client("DeliveryOverviewApi");
const seen = {};
const page = { count: 200 };
const regulation = (regulationType, ...subjectIds) => ({ regulationType, subjectType: "USER_ID", subjectIds });

// Suppression, in the workspace and in a source.
const everywhere = (await regulations.createWorkspaceRegulation(regulation("SUPPRESS_ONLY", "a", "b"))).body.data.regulateId;
const here = (await regulations.createSourceRegulation(sourceId, regulation("SUPPRESS_ONLY", "c"))).body.data.regulateId;
const finished = (await regulations.getRegulation(everywhere)).body.data.regulation;
seen.finished = [finished.id === everywhere, finished.overallStatus, typeof finished.finishedAt, finished.streamStatus];
const suppressed = (await regulations.listSuppressions({ count: 2 })).body.data;
seen.suppressed = [suppressed.suppressed[0].subjectType, suppressed.suppressed[0].subjectIds];
const more = (await regulations.listSuppressions({ count: 2, cursor: suppressed.pagination.next })).body.data;
seen.more = [more.suppressed[0].subjectIds, more.pagination.totalEntries];
seen.ofSource = (await regulations.listRegulationsFromSource(sourceId, page)).body.data.regulations.map((each) => each.id === here);
seen.refused = await failure(regulations.createSourceRegulation(sourceId, regulation("UNSUPPRESS", "a")));

// A deletion, taken back while it can be.
const taken = (await regulations.createWorkspaceRegulation(regulation("SUPPRESS_WITH_DELETE", "d"))).body.data.regulateId;
const listed = await regulations.listWorkspaceRegulations(page, "INITIALIZED", ["SUPPRESS_WITH_DELETE", "DELETE_ONLY"]);
seen.listed = listed.body.data.regulations.map((each) => [each.id === taken, each.regulationType, each.status, each.subjects]);
const [stream] = (await regulations.getRegulation(taken)).body.data.regulation.streamStatus;
seen.stream = [stream.id === sourceId, stream.destinationStatus.map((each) => [each.id === destinationId, each.status])];
seen.deleted = (await regulations.deleteRegulation(taken)).body.data.status;
seen.gone = await failure(regulations.getRegulation(taken));
const objects = { ...regulation("DELETE_ONLY", "o"), subjectType: "OBJECT_ID", collection: "users" };
seen.cloud = await failure(regulations.createCloudSourceRegulation(sourceId, objects));

// Numbers. The caller has sent 3 events "A", one of them of version 1, and one that fails on ingest.
const startTime = new Date(Date.now() - 3_600_000).toISOString();
const endTime = new Date(Date.now() + 600_000).toISOString();
const ofSource = [sourceId, startTime, endTime, "minute", page];
const received = (await overview.getIngressSuccessMetricsFromDeliveryOverview(...ofSource, ["eventName", "appVersion"])).body.data;
seen.received = [received.total, received.dataset.map((each) => [each.eventName, each.appVersion, each.total])];
const narrow = await overview.getIngressSuccessMetricsFromDeliveryOverview(...ofSource, undefined, { appVersion: ["1"] });
seen.narrow = narrow.body.data.dataset.map((each) => [each.total, each.series.length]);
const failed = await overview.getIngressFailedMetricsFromDeliveryOverview(...ofSource, ["discardReason"]);
seen.failed = failed.body.data.dataset.map((each) => [each.discardReason, each.total]);
seen.blocked = (await overview.getFilteredAtSourceMetricsFromDeliveryOverview(...ofSource)).body.data.total;
const at = [sourceId, destinationId, startTime, endTime, "minute", page];
const success = (await overview.getEgressSuccessMetricsFromDeliveryOverview(...at, ["discardReason"])).body.data;
seen.success = success.dataset.map((each) => [each.discardReason, each.total, each.totalRetryCount, each.series[0].retryCount]);
seen.lost = (await overview.getEgressFailedMetricsFromDeliveryOverview(...at)).body.data.total;
seen.filtered = (await overview.getFilteredAtDestinationMetricsFromDeliveryOverview(...at)).body.data.total;
seen.range = await failure(overview.getEgressFailedMetricsFromDeliveryOverview(sourceId, destinationId, "2020-01-01", endTime, "day", page));
const summary = await client("DestinationsApi").listDeliveryMetricsSummaryFromDestination(destinationId, sourceId, startTime, endTime, "HOUR");
seen.summary = summary.body.data.deliveryMetricsSummary.metrics.map((each) => [each.metricName, each.total]);
const volume = (await client("EventsApi").getEventsVolumeFromWorkspace("HOUR", startTime, endTime, ["source", "eventType"], [sourceId])).body.data;
seen.volume = volume.result.map((each) => [each.source.id === sourceId, each.eventType, each.total]);
const usage = [new Date().toISOString().slice(0, 10), { count: 1000 }];
const calls = client("APICallsApi");
seen.calls = (await calls.getDailyWorkspaceAPICallsUsage(...usage)).body.data.dailyWorkspaceAPICallsUsage.at(-1).apiCalls;
seen.callsOfSource = (await calls.getDailyPerSourceAPICallsUsage(...usage)).body.data.dailyPerSourceAPICallsUsage.at(-1).apiCalls;
const users = client("MonthlyTrackedUsersApi");
seen.users = (await users.getDailyWorkspaceMTUUsage(...usage)).body.data.dailyWorkspaceMTUUsage.at(-1).identified;
seen.usersOfSource = (await users.getDailyPerSourceMTUUsage(...usage)).body.data.dailyPerSourceMTUUsage.at(-1).identified;

console.log(JSON.stringify(seen));
process.exit(0); // The SDK's HTTP library keeps its connections open.
