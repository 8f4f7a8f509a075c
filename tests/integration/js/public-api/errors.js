// How every operation refuses: strangers, callers without permission, things that do not exist, wrong input.
// Argument: a file with what there is (see test_contract_sdk.py). Prints one JSON object: operation → answers.
import fs from "node:fs";
import sdk from "@segment/public-api-sdk-typescript";

const given = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const kinds = Object.keys(sdk).filter((name) => name.endsWith("Api") && sdk[name].prototype);
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/* The SDK's method with a token of its own, and the names of its parameters. */
function method(name, token) {
  const kind = kinds.find((each) => name in sdk[each].prototype);
  const api = new sdk[kind](given.basePath);
  api.accessToken = token;
  const [, parameters] = /\(([^)]*)\)/.exec(sdk[kind].prototype[name].toString());
  return { call: api[name].bind(api), parameters: parameters.split(",").map((each) => each.trim()).slice(0, -1) };
}

async function asked({ name, query }, token, things, body) {
  const { call, parameters } = method(name, token);
  const values = parameters.map((parameter) => {
    if (/^[A-Z]/.test(parameter)) return body;
    if (parameter === "pagination") return { count: 2 };
    return things[snake(parameter)] ?? query[parameter];
  });
  try {
    await call(...values);
    return { status: 200 };
  } catch (error) {
    if (!error.statusCode) throw error;
    const [first] = error.body.errors;
    return { status: error.statusCode, type: first.type, field: first.field ?? null, message: first.message };
  }
}

const seen = {};
for (const operation of given.operations) {
  const { name, right, wrong } = operation;
  const answers = { stranger: await asked(operation, "nobody", given.things, right) };
  answers.member = await asked(operation, given.member, given.things, right);
  if (operation.named) answers.missing = await asked(operation, given.owner, given.nothing, right);
  if (wrong !== null) answers.wrong = await asked(operation, given.owner, given.things, wrong);
  seen[name] = answers;
}
console.log(JSON.stringify(seen));
process.exit(0); // The SDK's HTTP library keeps its connections open.
