// fetch, with the habits of node-fetch 2, over the host: there is no socket in here.
import { Buffer } from "node:buffer";
import { require } from "./builtin.js";
import { responses } from "./response.js";

const FetchError = class FetchError extends Error {
  constructor(message, type, code) {
    super(message);
    this.name = "FetchError";
    this.type = type;
    if (code) this.code = this.errno = code;
  }
};

const MOST = 12 << 20; // characters of a body in base64; the host takes less, and more is no frame

export const CALLED_OFF = "ECANCELED";

// Requests that the host is asked for. `answered` is told what came of them.
export class Bridge {
  #pipe;
  #current;
  #waiting = new Map();
  #last = 0;

  constructor(pipe, current) {
    this.#pipe = pipe;
    this.#current = current;
  }

  // request: {url, method, headers: [[name, value]], body?: base64, redirect, timeout?: ms}
  send(request, signal) {
    const id = ++this.#last, inv = this.#current.getStore()?.id ?? 0;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (request.body?.length > MOST) return reject(new FetchError("the request's body is too long", "system", "ELIMIT"));
      this.#waiting.set(id, { resolve, reject, inv });
      this.#pipe.send({ t: "fetch", id, inv, ...request });
      signal?.addEventListener("abort", () => {
        if (!this.#waiting.delete(id)) return;
        this.#pipe.send({ t: "fabort", id });
        reject(signal.reason);
      });
    });
  }

  // Fails what an ended invocation asked for and did not wait for, as the host does: whoever waits for it later
  // would wait for ever.
  ended(inv) {
    if (this.#waiting.size === 0) return;
    for (const [id, waiting] of this.#waiting) {
      if (waiting.inv !== inv) continue;
      this.#waiting.delete(id);
      waiting.reject(new FetchError("the invocation that asked for it has ended", "system", CALLED_OFF));
    }
  }

  answered(message) {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    if (message.err) waiting.reject(new FetchError(message.err, "system", message.code));
    else waiting.resolve(message);
  }
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const NAME = /^[\w!#$%&'*+.^`|~-]+$/, VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

// Deno reads these classes when they are first named, which takes longer than all else at a runner's start.
const CLASSES = ["Headers", "Request", "Response"];
const getters = CLASSES.map((name) => Object.getOwnPropertyDescriptor(globalThis, name).get);
let web = null;
let parsed = { input: "", href: "" }; // the address asked last: most functions ask one

export function webClasses() {
  if (web) return web;
  const [Headers, Request, Response] = getters.map((get) => get.call(globalThis));
  Headers.prototype.raw = function () {
    const all = {};
    for (const [name, value] of this) (all[name] ||= []).push(value);
    return all;
  };
  Response.prototype.buffer = async function () {
    return Buffer.from(await this.arrayBuffer());
  };
  // A body can be taken for a stream of Node's, which it is there.
  const streams = new WeakMap();
  for (const name of ["on", "once", "pipe"]) {
    ReadableStream.prototype[name] = function (...parameters) {
      if (!streams.has(this)) streams.set(this, require("node:stream").Readable.fromWeb(this));
      return streams.get(this)[name](...parameters);
    };
  }
  const respond = responses({ Headers, Response }, (message, type) => new FetchError(message, type));
  return web = { Headers, Request, Response, respond };
}

// What the first fetch would have to wait for.
export async function readyFetch() {
  const { Response, Request } = webClasses();
  new Request("http://localhost/", { method: "POST", body: "{}" });
  await new Response(Buffer.from("{}"), { headers: [["content-type", "application/json"]] }).text();
}

export function makeFetch(bridge) {
  return async function fetch(input, init) {
    const { Request, respond } = webClasses();
    if (!(input instanceof Request)) {
      input = String(input?.href ?? input);
      if (!URL.canParse(input)) throw new TypeError("Only absolute URLs are supported");
    }
    const signal = { given: undefined };
    const told = plain(input, init, signal) ?? await composed(new Request(input, await asWeb(init)), signal);
    if (init?.timeout > 0) told.timeout = Number(init.timeout);
    let answer;
    try {
      answer = await bridge.send(told, signal.given);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      // A new one, whose stack leads to the line that called.
      if (told.timeout && error.code === "ETIMEDOUT") throw new FetchError(`network timeout at: ${told.url}`, "request-timeout", error.code);
      throw new FetchError(`request to ${told.url} failed, reason: ${error.message}`, "system", error.code);
    }
    return respond(answer);
  };
}

async function composed(request, signal) {
  const body = request.body ? Buffer.from(await request.arrayBuffer()) : null;
  signal.given = request.signal;
  const told = { url: request.url, method: request.method, headers: [...request.headers], redirect: request.redirect, body: undefined, timeout: undefined };
  if (body?.length) told.body = body.toString("base64");
  return told;
}

// What a Request would make of the usual: an address, plain headers, a text for a body. It takes a tenth of the
// time. null for anything else.
function plain(input, init, signal) {
  if (typeof input !== "string") return null;
  const { method: given = "GET", headers: own, body, redirect = "follow", signal: aborts } = init ?? {};
  const method = typeof given === "string" ? given.toUpperCase() : "", headers = [];
  if (!METHODS.has(method) || redirect !== "follow" || (aborts !== undefined && !(aborts instanceof AbortSignal))) return null;
  if (body !== undefined && (typeof body !== "string" || method === "GET" || method === "HEAD")) return null;
  let typed = false;
  if (own !== undefined) {
    if (own === null || typeof own !== "object" || Object.getPrototypeOf(own) !== Object.prototype) return null;
    for (const [name, value] of Object.entries(own)) {
      if (typeof value !== "string" || !NAME.test(name) || !VALUE.test(value)) return null;
      const lower = name.toLowerCase();
      for (const [there] of headers) if (there === lower) return null;
      headers.push([lower, value]);
      if (lower === "content-type") typed = true;
    }
  }
  if (input !== parsed.input) {
    const url = new URL(input);
    if (url.username || url.password || (url.protocol !== "https:" && url.protocol !== "http:")) return null;
    parsed = { input, href: url.href };
  }
  if (body !== undefined && !typed) headers.push(["content-type", "text/plain;charset=UTF-8"]);
  signal.given = aborts;
  return { url: parsed.href, method, headers, redirect, body: body ? Buffer.from(body).toString("base64") : undefined, timeout: undefined };
}

async function asWeb(init) {
  if (!init) return init;
  const web = { ...init }, { Headers } = webClasses();
  for (const name of ["method", "headers", "redirect"]) if (web[name] === null) delete web[name];
  if (web.method) web.method = String(web.method).toUpperCase();
  delete web.agent;
  const { body } = web;
  if (body && typeof body.pipe === "function") {
    if (typeof body.getBoundary === "function") { // the package form-data, with a boundary of its own
      web.headers = new Headers(web.headers);
      for (const [name, value] of Object.entries(body.getHeaders())) if (!web.headers.has(name)) web.headers.set(name, value);
    }
    web.body = await gathered(body);
  } else if (body && typeof body === "object" && Object.getPrototypeOf(body) === Object.prototype) {
    web.body = String(body); // as node-fetch does
  }
  return web;
}

// All of a stream of Node's.
async function gathered(stream) {
  const parts = [], { PassThrough } = require("node:stream");
  const passed = stream.pipe(new PassThrough()); // form-data is no stream that can be iterated
  stream.on("error", (error) => passed.destroy(error));
  for await (const part of passed) parts.push(part);
  return Buffer.concat(parts);
}
