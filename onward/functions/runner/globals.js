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

  // ttl in milliseconds; left out or negative: for as long as this process lives.
  async load(key, ttl, make) {
    if (typeof ttl === "function") [ttl, make] = [-1, ttl];
    if (typeof make !== "function") throw new TypeError("cache.load(key, ttl, fn): fn must be a function");
    const found = this.#entries.get(key);
    if (found && (found.until === null || found.until > Date.now())) {
      this.#entries.delete(key);
      this.#entries.set(key, found); // the one used last goes last
      return found.value;
    }
    const value = await make();
    this.#entries.delete(key);
    if (this.#entries.size >= MOST) this.#entries.delete(this.#entries.keys().next().value);
    this.#entries.set(key, { value, until: ttl === undefined || ttl === null || ttl < 0 ? null : Date.now() + ttl });
    return value;
  }

  delete(key) {
    this.#entries.delete(key);
  }
}
