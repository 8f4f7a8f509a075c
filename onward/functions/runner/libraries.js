// The libraries of Segment's functions (spec §10.5), each read when its global is used first. A global whose
// bundle is not installed throws, and says what to do.
import { Buffer } from "node:buffer";
import { stubs } from "./stubs.js";
import { httpModules } from "./http.js";

const NODE = new Set(["buffer", "stream", "util", "events", "url", "querystring", "string_decoder", "path", "assert",
  "timers", "zlib", "punycode", "async_hooks", "perf_hooks", "stream/promises", "stream/web", "util/types",
  "timers/promises", "diagnostics_channel"]);
const loaded = new Map();
const modules = new Map();
const evaluate = globalThis.eval;
const read = Deno.readTextFileSync;

export function libraries({ require, folder, bridge }) {
  const get = (name) => () => loadLibrary(require, folder, bridge, name);
  const module = (name) => () => moduleFor(require, bridge, name);
  return {
    _: get("lodash"),
    AWS: get("aws-sdk"),
    FormData: get("form-data"),
    OAuth: get("oauth"),
    crypto: module("crypto"),
    https: module("https"),
    fetchretrylib: () => ({ fetchretry: get("fetch-retry")() }),
    hubspotlib: () => ({ hubspot: get("hubspot")() }),
    jsforce: get("jsforce"),
    jsonwebtoken: get("jsonwebtoken"),
    libphonenumberjslib: () => ({ libphonenumberjs: get("libphonenumber-js")() }),
    mailchimplib: () => ({ mailchimp: get("mailchimp")() }),
    moment: get("moment-timezone"),
    sendgrid: () => ({ client: get("sendgrid-client")(), mail: get("sendgrid-mail")() }),
    stripe: get("stripe"),
    twilio: get("twilio"),
    uuid: get("uuid"),
    uuidv5: () => ({ uuidv5: get("uuidv5")() }),
    winstonlib: () => ({ winston: get("winston")() }),
    xml: get("xml"),
    xml2js: get("xml2js"),
    zlib: () => ({ zlib: module("zlib")() }),
  };
}

export function loadLibrary(require, folder, bridge, name) {
  if (loaded.has(name)) return loaded.get(name);
  let source;
  try {
    source = read(`${folder}/${name}.js`);
  } catch {
    throw new Error(`the library ${name} is not installed; \`onward functions install\` installs it`);
  }
  const module = { exports: {} };
  const wrapped = `(function (module, exports, require, process, Deno, Buffer, global, __dirname, __filename) {${source}\n})\n//# sourceURL=library/${name}.js`;
  const need = (id) => moduleFor(require, bridge, id);
  evaluate(wrapped)(module, module.exports, need, stubs.process, undefined, Buffer, globalThis, "/", `/${name}.js`);
  const { exports } = module;
  const only = exports?.__esModule && exports.default && Object.keys(exports).length <= 2;
  loaded.set(name, only ? exports.default : exports);
  return loaded.get(name);
}

function moduleFor(require, bridge, id) {
  const name = id.replace(/^node:/, "");
  if (!modules.has(name)) modules.set(name, make(require, bridge, name));
  return modules.get(name);
}

function make(require, bridge, name) {
  if (name === "http" || name === "https") return httpModules(require, bridge)[name];
  if (name === "crypto") return nodeCrypto(require);
  if (NODE.has(name)) return require(`node:${name}`);
  if (name in stubs) return stubs[name];
  throw new Error(`Cannot find module '${name}'`);
}

// node:crypto, and what browsers and newer Nodes have at `crypto`.
const web = globalThis.crypto;
function nodeCrypto(require) {
  const all = require("node:crypto"), made = {};
  for (const name of Object.getOwnPropertyNames(all)) {
    try {
      Object.defineProperty(made, name, { value: all[name], writable: true, enumerable: true, configurable: true });
    } catch { /* a getter of Deno's that is not implemented */ }
  }
  made.subtle = web.subtle;
  made.webcrypto = web;
  made.getRandomValues = (array) => web.getRandomValues(array);
  made.randomUUID = () => web.randomUUID();
  return made;
}
