// What fetch gives: a Response that becomes one of Deno's only when something is asked of it that few ask. To
// make one takes longer than all else that a request takes in here.
import { Buffer } from "node:buffer";

const BODILESS = new Set([101, 204, 205, 304]);
const FORWARDED = ["blob", "bytes", "formData"];

// `fail(message, type)` makes the error for what is no JSON.
export function responses({ Response, Headers }, fail) {
  const states = new WeakMap();

  function make(answer, real) {
    const made = Object.create(Fetched);
    states.set(made, { answer, real, headers: null, used: false });
    return made;
  }

  function content({ status, body }) {
    return BODILESS.has(status) ? null : Buffer.from(body, "base64");
  }

  // The bytes, once.
  async function take(response) {
    const state = states.get(response);
    if (state.used || state.real?.bodyUsed) throw new TypeError("Body already consumed.");
    if (state.real) return Buffer.from(await state.real.arrayBuffer());
    state.used = true;
    return content(state.answer) ?? Buffer.alloc(0);
  }

  function realOf(response) {
    const state = states.get(response), { status, statusText } = state.answer;
    if (!state.real) {
      const known = status >= 200 && status <= 599 ? status : 200;
      state.real = new Response(content(state.answer), { status: known, statusText, headers: response.headers });
      if (state.used) state.real.arrayBuffer();
    }
    return state.real;
  }

  const Fetched = Object.create(Response.prototype, Object.getOwnPropertyDescriptors({
    get status() {
      return states.get(this).answer.status;
    },
    get statusText() {
      return states.get(this).answer.statusText;
    },
    get ok() {
      return this.status >= 200 && this.status <= 299;
    },
    get url() {
      return states.get(this).answer.url;
    },
    get redirected() {
      return states.get(this).answer.redirected;
    },
    get type() {
      return "default";
    },
    get headers() {
      const state = states.get(this);
      return state.headers ??= new Headers(state.answer.headers);
    },
    get body() {
      return realOf(this).body;
    },
    get bodyUsed() {
      const { used, real } = states.get(this);
      return used || (real?.bodyUsed ?? false);
    },
    async text() {
      const text = (await take(this)).toString();
      return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    },
    async json() {
      const text = await this.text();
      try {
        return JSON.parse(text);
      } catch (error) {
        throw fail(`invalid json response body at ${this.url} reason: ${error.message}`, "invalid-json");
      }
    },
    async buffer() {
      return Buffer.from(await take(this));
    },
    async arrayBuffer() {
      return new Uint8Array(await take(this)).buffer;
    },
    clone() {
      if (this.bodyUsed) throw new TypeError("Response.clone: Body has already been consumed.");
      return make(states.get(this).answer, realOf(this).clone());
    },
  }));
  for (const name of FORWARDED) {
    Object.defineProperty(Fetched, name, { value() {
      return realOf(this)[name]();
    }, writable: true, configurable: true });
  }
  return (answer) => make(answer, null);
}
