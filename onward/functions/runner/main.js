// The runner: what is inside the sandbox with the user's code. The process is the boundary; nothing in these
// files defends anything against that code. They give it the globals of Segment's functions (spec §10.5), call
// its handlers, and speak frames with the host (`wire.py`). If the host goes, so does its pipe, and this ends.
import { require } from "./builtin.js";
import { channel } from "./channel.js";
import { Console } from "./console.js";
import { Handlers } from "./handlers.js";
import { Cache, ERRORS } from "./globals.js";
import { Bridge, CALLED_OFF, makeFetch, readyFetch, webClasses } from "./fetch.js";
import { libraries } from "./libraries.js";
import { makeSegment } from "./source.js";
import { stubs } from "./stubs.js";
import { AsyncLocalStorage } from "node:async_hooks";
import { Buffer } from "node:buffer";
import timers from "node:timers";

const folder = Deno.args[1];
const pipe = channel();
const current = new AsyncLocalStorage();
const bridge = new Bridge(pipe, current);
const handlers = new Handlers(pipe, current, bridge, require, folder);
const G = globalThis;

const define = (name, value) =>
  Object.defineProperty(G, name, { value, writable: true, enumerable: false, configurable: true });

const getters = libraries({ require, folder, bridge });
for (const name of ["Headers", "Request", "Response"]) getters[name] = () => webClasses()[name];
for (const name of ["Worker", "WebSocket", "WebSocketStream", "EventSource", "BroadcastChannel", "prompt", "alert",
  "confirm", "localStorage", "sessionStorage", "caches", "close", "navigator", "FormData", "crypto", "onload"]) {
  delete G[name];
}
define("Deno", Deno); // Deno's own modules look for it; the user's code sees it shadowed
define("Buffer", Buffer);
define("console", new Console(current));
define("fetch", makeFetch(bridge));
define("cache", new Cache(current));
define("Segment", makeSegment(current));
define("process", stubs.process);
define("global", G);
// As the packages of these names: lenient.
define("atob", (text) => Buffer.from(String(text), "base64").toString("latin1"));
define("btoa", (data) => (Buffer.isBuffer(data) ? data : Buffer.from(String(data), "latin1")).toString("base64"));
for (const name of ["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "clearImmediate"]) {
  define(name, timers[name]);
}
for (const kind of ERRORS) define(kind.name, kind);
for (const [name, get] of Object.entries(getters)) {
  Object.defineProperty(G, name, {
    configurable: true,
    enumerable: false,
    get() {
      define(name, undefined); // lodash looks for an older `_` while it loads
      const value = get();
      define(name, value);
      return value;
    },
    set(value) {
      define(name, value);
    },
  });
}

function uncaught(error) {
  if (error?.code === CALLED_OFF) return; // the host tells of it
  pipe.send({ t: "uncaught", inv: current.getStore()?.id ?? 0, error: handlers.describe(error) });
}
G.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  uncaught(event.reason);
});
G.addEventListener("error", (event) => {
  event.preventDefault();
  uncaught(event.error);
});

// A spare has time for what most functions need.
let spare = true;
const preparing = timers.setTimeout(readyFetch, 50);

pipe.send({ t: "ready" });
await pipe.listen((message) => {
  if (spare) timers.clearTimeout(preparing);
  spare = false;
  if (message.t === "inv") handlers.invoke(message);
  else if (message.t === "fr") bridge.answered(message);
  else if (message.t === "load") handlers.load(message.code);
  else if (message.t === "strip") handlers.strip(message.code);
}, () => spare || handlers.busy);
