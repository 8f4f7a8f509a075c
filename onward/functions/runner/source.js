// What source functions have (spec §10.9): the request, and `Segment`, whose events are gathered until the handler ends.
const TYPES = ["identify", "track", "group", "page", "screen", "alias", "set"];
const MOST = 1000; // events of one request
const FORM = "application/x-www-form-urlencoded";

export function makeSegment(current) {
  const { parse, stringify } = JSON;
  return Object.fromEntries(TYPES.map((type) => [type, (event) => {
    const events = current.getStore()?.events;
    if (!events) throw new Error(`Segment.${type} can be called only while a request is handled`);
    if (event === null || typeof event !== "object" || Array.isArray(event)) {
      throw new TypeError(`Segment.${type} takes an event, an object`);
    }
    if (events.length >= MOST) throw new Error(`more than ${MOST} events of one request`);
    events.push(parse(stringify({ ...event, type }))); // as it is now, whatever becomes of it later
  }]));
}

// given: {url, method, headers: [[name, value]], body: text}
export function asRequest(given) {
  const headers = new Headers(given.headers), { body } = given;
  return {
    url: new URL(given.url),
    method: given.method,
    headers,
    text: () => body,
    json: () => headers.get("content-type")?.startsWith(FORM)
      ? Object.fromEntries(new URLSearchParams(body))
      : JSON.parse(body),
  };
}
