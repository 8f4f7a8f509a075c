// The error classes and the cache of Segment's functions (spec §10.3, §10.6).
const kind = (name) => {
  const made = class extends Error {
    constructor(message) {
      super(message);
      Object.defineProperty(this, "name", { value: name, writable: true, configurable: true });
    }
  };
  Object.defineProperty(made, "name", { value: name });
  return made;
};

export const ERRORS = ["RetryError", "EventNotSupported", "InvalidEventPayload", "ValidationError", "DropEvent"].map(kind);

const MOST = 500;

export class Cache {
  #entries = new Map();
  #current;

  constructor(current) {
    this.#current = current;
  }

  // ttl in milliseconds; left out or negative: for as long as this process lives. What an invocation loads already,
  // it waits for: the events of a batch that all want the same token ask for it once.
  async load(key, ttl, make) {
    if (typeof ttl === "function") [ttl, make] = [-1, ttl];
    if (typeof make !== "function") throw new TypeError("cache.load(key, ttl, fn): fn must be a function");
    const found = this.#entries.get(key);
    if (found && (found.until === null || found.until > Date.now())) {
      this.#entries.delete(key);
      this.#entries.set(key, found); // the one used last goes last
      return found.value;
    }
    const loading = this.#current.getStore()?.loading;
    if (loading?.has(key)) return loading.get(key);
    const made = this.#make(key, ttl, make), done = () => loading?.delete(key);
    loading?.set(key, made);
    made.then(done, done);
    return made;
  }

  async #make(key, ttl, make) {
    const value = await make();
    this.#entries.delete(key);
    if (this.#entries.size >= MOST) this.#entries.delete(this.#entries.keys().next().value);
    const until = ttl === undefined || ttl === null || ttl < 0 ? null : Date.now() + Number(ttl);
    this.#entries.set(key, { value, until });
    return value;
  }

  delete(key) {
    this.#entries.delete(key);
  }
}
