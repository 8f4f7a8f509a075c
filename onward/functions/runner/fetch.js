// fetch, with the habits of node-fetch 2, over the host: there is no socket in here.
import { Buffer } from "node:buffer";

const FetchError = class FetchError extends Error {
  constructor(message, code) {
    super(message);
    this.name = "FetchError";
    this.type = "system";
    this.code = this.errno = code;
  }
};

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
      this.#waiting.set(id, { resolve, reject });
      this.#pipe.send({ t: "fetch", id, inv, ...request });
      signal?.addEventListener("abort", () => {
        if (!this.#waiting.delete(id)) return;
        this.#pipe.send({ t: "fabort", id });
        reject(signal.reason);
      });
    });
  }

  answered(message) {
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    this.#waiting.delete(message.id);
    if (message.err) waiting.reject(new FetchError(message.err, message.code));
    else waiting.resolve(message);
  }
}

const BODILESS = new Set([101, 204, 205, 304]);

export function makeFetch(bridge) {
  Headers.prototype.raw = function () {
    const all = {};
    for (const [name, value] of this) (all[name] ||= []).push(value);
    return all;
  };
  Response.prototype.buffer = async function () {
    return Buffer.from(await this.arrayBuffer());
  };

  return async function fetch(input, init) {
    if (!(input instanceof Request)) {
      input = String(input?.href ?? input);
      if (!URL.canParse(input)) throw new TypeError("Only absolute URLs are supported");
    }
    const request = new Request(input, asWeb(init));
    const body = request.body ? Buffer.from(await request.arrayBuffer()) : null;
    const told = { url: request.url, method: request.method, headers: [...request.headers], redirect: request.redirect };
    if (body?.length) told.body = body.toString("base64");
    if (init?.timeout > 0) told.timeout = Number(init.timeout);
    let answer;
    try {
      answer = await bridge.send(told, request.signal);
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      // A new one, whose stack leads to the line that called.
      throw new FetchError(`request to ${request.url} failed, reason: ${error.message}`, error.code);
    }
    const content = BODILESS.has(answer.status) ? null : Buffer.from(answer.body, "base64");
    const response = new Response(content, { status: answer.status, statusText: answer.statusText, headers: answer.headers });
    Object.defineProperty(response, "url", { value: answer.url });
    Object.defineProperty(response, "redirected", { value: answer.redirected });
    return response;
  };
}

function asWeb(init) {
  if (!init) return init;
  const web = { ...init };
  if (web.method) web.method = String(web.method).toUpperCase();
  delete web.agent;
  const { body } = web;
  if (body && typeof body.getBoundary === "function") { // the package form-data, with a boundary of its own
    web.headers = new Headers(web.headers);
    for (const [name, value] of Object.entries(body.getHeaders())) if (!web.headers.has(name)) web.headers.set(name, value);
    web.body = body.getBuffer();
  } else if (body && typeof body === "object" && Object.getPrototypeOf(body) === Object.prototype) {
    web.body = String(body); // as node-fetch does
  }
  return web;
}
