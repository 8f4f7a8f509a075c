// Look-alikes of node:http and node:https whose only way out is the host: for libraries, and the `https` global.
import { Buffer } from "node:buffer";

let made = null;

export function httpModules(require, bridge) {
  made ||= { http: protocol(require, bridge, "http:"), https: protocol(require, bridge, "https:") };
  return made;
}

function protocol(require, bridge, scheme) {
  const { Readable, Writable } = require("node:stream");
  const { EventEmitter } = require("node:events");
  const { STATUS_CODES, METHODS } = require("node:http");

  class Agent extends EventEmitter {
    constructor(options = {}) {
      super();
      Object.assign(this, { options, protocol: scheme, defaultPort: scheme === "https:" ? 443 : 80, maxSockets: Infinity });
      Object.assign(this, { sockets: {}, requests: {}, freeSockets: {} });
    }
    destroy() {}
    getName() {
      return "";
    }
  }

  class IncomingMessage extends Readable {
    constructor(answer) {
      super();
      Object.assign(this, { statusCode: answer.status, statusMessage: answer.statusText, httpVersion: "1.1" });
      Object.assign(this, { httpVersionMajor: 1, httpVersionMinor: 1, headers: {}, rawHeaders: [], trailers: {}, complete: true });
      this.socket = this.connection = new EventEmitter();
      for (const [name, value] of answer.headers) {
        const lower = name.toLowerCase();
        this.rawHeaders.push(name, value);
        if (lower === "set-cookie") (this.headers[lower] ||= []).push(value);
        else this.headers[lower] = lower in this.headers ? `${this.headers[lower]}, ${value}` : value;
      }
      if (answer.body) this.push(Buffer.from(answer.body, "base64"));
      this.push(null);
    }
    _read() {}
    setTimeout() {
      return this;
    }
  }

  class ClientRequest extends Writable {
    constructor(options, callback) {
      super({ autoDestroy: false }); // it lives until its answer has come
      Object.assign(this, { options, chunks: [], given: new Map(), aborted: false, path: options.path || "/" });
      this.method = (options.method || "GET").toUpperCase();
      for (const [name, value] of Object.entries(options.headers || {})) this.setHeader(name, value);
      if (options.auth && !this.hasHeader("authorization")) {
        this.setHeader("Authorization", `Basic ${Buffer.from(options.auth).toString("base64")}`);
      }
      if (callback) this.once("response", callback);
      if (options.timeout) this.patience = options.timeout;
      this.stopping = new AbortController();
      const socket = this.socket = this.connection = new EventEmitter();
      const nothing = () => socket;
      Object.assign(socket, { setKeepAlive: nothing, setNoDelay: nothing, setTimeout: nothing, ref: nothing, unref: nothing });
      Object.assign(socket, { destroy: nothing, connecting: false, authorized: true, encrypted: scheme === "https:" });
      Object.assign(socket, { getPeerCertificate: () => ({}), isSessionReused: () => false });
      queueMicrotask(() => this.emit("socket", socket));
    }
    setHeader(name, value) {
      this.given.set(name.toLowerCase(), [name, value]);
      return this;
    }
    getHeader(name) {
      return this.given.get(name.toLowerCase())?.[1];
    }
    removeHeader(name) {
      this.given.delete(name.toLowerCase());
    }
    hasHeader(name) {
      return this.given.has(name.toLowerCase());
    }
    getHeaders() {
      return Object.fromEntries([...this.given].map(([name, [, value]]) => [name, value]));
    }
    getHeaderNames() {
      return [...this.given.keys()];
    }
    flushHeaders() {}
    setNoDelay() {}
    setSocketKeepAlive() {}
    setTimeout(milliseconds, callback) {
      if (callback) this.once("timeout", callback);
      this.patience = milliseconds;
      return this;
    }
    abort() {
      if (this.aborted) return;
      this.aborted = true;
      this.emit("abort");
      this.destroy();
    }
    _destroy(error, done) {
      const early = !this.res;
      this.stopping.abort();
      done(error ?? (early ? Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }) : null));
    }
    _write(chunk, encoding, done) {
      this.chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk, encoding));
      done();
    }
    _final(done) {
      done();
      const { options } = this, body = Buffer.concat(this.chunks);
      const host = options.hostname || String(options.host || "localhost").replace(/:\d+$/, "");
      const headers = [...this.given.values()].flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)]));
      const usual = Number(options.port) === (options.protocol === "https:" ? 443 : 80);
      const request = {
        url: `${options.protocol}//${host}${options.port && !usual ? `:${options.port}` : ""}${this.path}`,
        method: this.method, headers, redirect: "manual", body: body.length ? body.toString("base64") : undefined,
      };
      const timer = this.patience ? setTimeout(() => this.emit("timeout"), this.patience) : undefined;
      bridge.send(request, this.stopping.signal).then((answer) => {
        clearTimeout(timer);
        if (this.destroyed) return;
        this.res = new IncomingMessage(answer);
        this.res.req = this;
        this.emit("response", this.res);
      }, (error) => {
        clearTimeout(timer);
        if (!this.destroyed) this.destroy(Object.assign(new Error(error.message), { code: error.code || "ECONNREFUSED" }));
      });
    }
  }

  function request(first, second, third) {
    let options, callback;
    if (typeof first === "string" || first instanceof URL) {
      const url = new URL(first);
      const auth = url.username ? `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` : undefined;
      options = { protocol: url.protocol, hostname: url.hostname, port: url.port, path: url.pathname + url.search, auth };
      callback = typeof second === "function" ? second : third;
      if (typeof second === "object") Object.assign(options, second);
    } else {
      [options, callback] = [{ ...first }, second];
    }
    options.protocol ||= options.agent?.protocol || scheme;
    return new ClientRequest(options, callback);
  }

  const get = (...parameters) => {
    const asked = request(...parameters);
    asked.end();
    return asked;
  };
  const createServer = () => {
    throw new Error("servers are not available in functions");
  };
  return { request, get, Agent, globalAgent: new Agent(), STATUS_CODES, METHODS, IncomingMessage, ClientRequest, createServer };
}
