// Loads the user's code as a sloppy-mode script, and calls its handlers. (Functions of Segment's own library
// assign to names that they never declare: strict mode would break them.)
import { loadLibrary } from "./libraries.js";
import { readTable, withTable } from "./lines.js";
import { asRequest } from "./source.js";
import { setTable, withoutOurs, writtenOn } from "./stack.js";

const NAMES = ["onIdentify", "onTrack", "onPage", "onScreen", "onGroup", "onAlias", "onDelete", "onBatch", "onRequest"];
const LARGEST = 1 << 20, LARGEST_BATCH = 15 << 20, LARGEST_SENT = 2 << 20; // characters of what a handler returns
const FILE = "function.js";
const compile = globalThis.eval;
const now = performance.now.bind(performance), { round } = Math;

export class Handlers {
  #pipe;
  #current;
  #bridge;
  #require;
  #folder;
  #handlers = {};
  #queue = [];
  #first = 0;
  #last = 0;
  #running = false;

  constructor(pipe, current, bridge, require, folder) {
    this.#pipe = pipe;
    this.#current = current;
    this.#bridge = bridge;
    this.#require = require;
    this.#folder = folder;
  }

  load(code) {
    try {
      setTable(readTable(code));
      const module = { exports: {} };
      const taken = NAMES.map((name) => `${name}: typeof ${name} === 'function' ? ${name} : undefined`).join(", ");
      // The user's code begins on line 1, within two functions: the outer one's names may be declared anew.
      const source = `(function (module, exports, Deno) { return (function script() {${code}\n;return {${taken}}; }).call(this); })\n//# sourceURL=${FILE}`;
      const found = compile(source).call(globalThis, module, module.exports, undefined);
      this.#handlers = {};
      for (const name of NAMES) {
        const handler = found[name] ?? module.exports[name];
        if (typeof handler === "function") this.#handlers[name] = handler;
      }
      this.#pipe.send({ t: "loaded", ok: true, handlers: Object.keys(this.#handlers) });
    } catch (error) {
      const described = this.describe(error);
      if (described.name === "SyntaxError" && !described.line) this.#locate(code, described);
      this.#pipe.send({ t: "loaded", ok: false, error: described });
    }
  }

  // Where a syntax error is: V8 does not tell, a parser does. Of braces that are missing, or too many, V8 tells what
  // stands around the code.
  #locate(code, described) {
    try {
      const acorn = loadLibrary(this.#require, this.#folder, null, "acorn");
      acorn.parse(code, { ecmaVersion: "latest", allowReturnOutsideFunction: true });
    } catch (error) {
      if (!error?.loc) return;
      described.line = writtenOn(error.loc.line);
      const there = code.slice(error.pos).trimStart()[0];
      if (!/token '[;)]'$/.test(described.message) || described.message.at(-2) === there) return;
      described.message = there ? `Unexpected token '${there}'` : "Unexpected end of input";
      described.stack = `SyntaxError: ${described.message}`;
    }
  }

  strip(code) {
    const { stripTypeScriptTypes } = this.#require("node:module");
    let stripped;
    try {
      try {
        stripped = stripTypeScriptTypes(code); // leaves every line where it is
      } catch {
        stripped = withTable(stripTypeScriptTypes(code, { mode: "transform", sourceMap: true })); // enums and such
      }
      this.#pipe.send({ t: "stripped", ok: true, code: stripped });
    } catch (error) {
      this.#pipe.send({ t: "stripped", ok: false, error: this.describe(error) });
    }
  }

  // Whether a handler runs, or waits for its turn.
  get busy() {
    return this.#running;
  }

  // One after the other, in the order in which they come: the host may send ahead.
  invoke(message) {
    this.#queue[this.#last++] = message;
    if (!this.#running) this.#run();
  }

  async #run() {
    const pipe = this.#pipe;
    let flushed = now();
    this.#running = true;
    while (this.#first < this.#last) {
      const message = this.#queue[this.#first], seen = pipe.rounds;
      this.#queue[this.#first++] = undefined;
      const text = await this.#handle(message);
      const kept = pipe.rounds === seen; // a result is kept back only if nothing of its event can show outside
      // Errors that nothing waited for are told before the result, if nobody has to wait for it.
      if (this.#first === this.#last) await pipe.turn();
      pipe.put(text);
      const ended = now();
      if (!kept || ended - flushed > 0.5) {
        pipe.flush();
        flushed = ended;
      }
    }
    this.#first = this.#last = 0;
    this.#running = false;
    pipe.flush();
  }

  // Calls the handler; the answer as JSON.
  async #handle({ id, h: name, a: parameters }) {
    const began = now(), ofSource = name === "onRequest";
    const invocation = { id, logs: [], printed: 0, lost: 0, events: ofSource ? [] : null, loading: new Map() };
    const handler = this.#handlers[name];
    const most = ofSource ? LARGEST_SENT : name === "onBatch" ? LARGEST_BATCH : LARGEST;
    const { stringify } = this.#pipe;
    // Object literals define their members: setters that the code put on Object.prototype can't swallow them.
    const answer = (ok, value, dropped, error, missing) => {
      const { logs, lost } = invocation, ms = round((now() - began) * 1000) / 1000;
      return stringify({ t: "res", id, ok, value, dropped, error, missing, logs, lost, ms });
    };
    if (!handler) {
      const message = `${name.replace(/^on/, "").toLowerCase()} not supported`;
      return answer(false, null, false, { name: "EventNotSupported", message }, true);
    }
    let value;
    try {
      if (ofSource) parameters[0] = asRequest(parameters[0]);
      value = await this.#current.run(invocation, handler, ...parameters);
      if (ofSource) value = invocation.events; // what it returns is not used
    } catch (error) {
      return answer(false, null, false, this.describe(error), false);
    } finally {
      this.#bridge.ended(id);
    }
    try {
      const text = answer(true, value ?? null, false, undefined, false);
      if (text.length <= most) return text;
    } catch { /* a cycle, or a BigInt */ }
    return answer(true, null, true, undefined, false);
  }

  // {name, message, stack, line}, the stack without our own frames.
  describe(error) {
    try {
      const name = String(error?.name ?? "Error").slice(0, 200);
      const message = (error instanceof Error ? String(error.message) : text(error)).slice(0, 4096);
      const whole = typeof error?.stack === "string" ? withoutOurs(error.stack) : undefined;
      const line = whole?.match(/^ {4}at .*function\.js:(\d+)/m); // the message may be long, and name files, too
      const stack = whole?.slice(0, 4096);
      return { name, message, stack, line: line ? Number(line[1]) : undefined };
    } catch {
      return { name: "Error", message: "[an error that can't be described]", stack: undefined, line: undefined };
    }
  }
}

function text(value) {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
