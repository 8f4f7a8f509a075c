// Labels, users, groups, invitations, roles and the audit trail through the official SDK.
// Arguments: base address, token. Prints one JSON object of what it saw; ends with an error if a call does.
import sdk from "@segment/public-api-sdk-typescript";

const [basePath, token] = process.argv.slice(2);

function client(kind) {
  const api = new sdk[kind](basePath);
  api.accessToken = token;
  return api;
}

const users = client("IAMUsersApi");
const groups = client("IAMGroupsApi");
const labels = client("LabelsApi");
const sources = client("SourcesApi");
const page = { count: 2 };
const seen = {};

async function all(name, list) {
  const found = [];
  for (let cursor = undefined; ; ) {
    const { data } = (await list({ ...page, cursor })).body;
    found.push(...data[name]);
    if (!data.pagination.next) return found;
    cursor = data.pagination.next;
  }
}

// Labels, and a source that bears some.
for (const value of ["web", "app", "pos"]) {
  const made = (await labels.createLabel({ label: { key: "team", value, description: `the ${value} team` } })).body.data.label;
  seen.label = made;
}
seen.labels = (await labels.listLabels()).body.data.labels.map((each) => each.value);
const [kind] = (await client("CatalogApi").getSourcesCatalog({ count: 1 })).body.data.sourcesCatalog;
const source = (await sources.createSource({ slug: "labelled", enabled: true, metadataId: kind.id })).body.data.source;
await sources.addLabelsToSource(source.id, { labels: [{ key: "team", value: "web" }] });
const borne = (await sources.addLabelsToSource(source.id, { labels: [{ key: "team", value: "app" }] })).body.data.labels;
seen.added = borne.map((each) => each.value);
const replaced = (await sources.replaceLabelsInSource(source.id, { labels: [{ key: "team", value: "pos" }] })).body.data.labels;
seen.replaced = replaced.map((each) => each.value);
seen.unlabelled = (await labels.deleteLabel("team", "pos")).body.data.status;
seen.left = (await sources.getSource(source.id)).body.data.source.labels;

// Roles.
const roles = await all("roles", (each) => client("IAMRolesApi").listRoles(each));
seen.roles = roles.map((each) => each.name);
const role = (name) => roles.find((each) => each.name === name).id;

// Groups.
const made = [];
for (const name of ["One", "Two", "Three"]) made.push((await groups.createUserGroup({ name })).body.data.userGroup);
seen.groups = (await all("userGroups", (each) => groups.listUserGroups(each))).map((each) => each.name);
const id = made[0].id;
await groups.updateUserGroup(id, { name: "First" });
const admin = { roleId: role("Source Admin"), resources: [{ id: source.id, type: "SOURCE" }] };
await groups.addPermissionsToUserGroup(id, { permissions: [admin] });
await groups.replacePermissionsForUserGroup(id, { permissions: [admin, { roleId: role("Function Read-only"), resources: [] }] });
const group = (await groups.getUserGroup(id)).body.data.userGroup;
seen.group = { name: group.name, members: group.memberCount, roles: group.permissions.map((each) => each.roleName).sort() };

// Invitations, into a group.
const emails = ["a@example.com", "b@example.com", "c@example.com"];
const invites = emails.map((email) => ({ email, permissions: [{ roleId: role("Workspace Member"), resources: [] }] }));
seen.invited = (await users.createInvites({ invites })).body.data.emails;
seen.invites = await all("invites", (each) => users.listInvites(each));
await groups.addUsersToUserGroup(id, { emails });
seen.ofGroup = (await all("emails", (each) => groups.listInvitesFromUserGroup(id, each))).sort();
await groups.replaceUsersInUserGroup(id, { emails: emails.slice(1) });
seen.shortened = (await groups.removeUsersFromUserGroup(id, ["c@example.com"])).body.data.status;
seen.alone = await all("emails", (each) => groups.listInvitesFromUserGroup(id, each));
seen.uninvited = (await users.deleteInvites(["c@example.com"])).body.data.status;

// Users: those of the workspace, whom the test has made.
const found = await all("users", (each) => users.listUsers(each));
seen.users = found.map((each) => each.email);
const user = found.find((each) => each.email === "member@example.com");
await users.addPermissionsToUser(user.id, { permissions: [admin] });
await users.replacePermissionsForUser(user.id, { permissions: [{ roleId: role("Workspace Member"), resources: [] }] });
const read = (await users.getUser(user.id)).body.data.user;
seen.user = { name: read.name, roles: read.permissions.map((each) => each.roleName) };
await groups.addUsersToUserGroup(id, { emails: [user.email] });
seen.members = (await all("users", (each) => groups.listUsersFromUserGroup(id, each))).map((each) => each.email);
seen.groupsOfUser = (await all("groups", (each) => users.listUserGroupsFromUser(user.id, each))).map((each) => each.name);
seen.removed = (await users.deleteUsers([user.id])).body.data.status;
seen.deleted = [];
for (const each of made) seen.deleted.push((await groups.deleteUserGroup(each.id)).body.data.status);

// What the audit trail says of it.
const trail = client("AuditTrailApi");
const now = new Date(Date.now() + 60000).toISOString();
const events = (await trail.listAuditEvents({ count: 1000 }, "2024-01-01T00:00:00Z", now)).body.data.events;
seen.audited = [...new Set(events.map((each) => each.type))].sort();
seen.ofSource = (await trail.listAuditEvents({ count: 1000 }, undefined, undefined, source.id)).body.data.events.map((each) => each.type);

console.log(JSON.stringify(seen));
process.exit(0); // The SDK's HTTP library keeps its connections open.
