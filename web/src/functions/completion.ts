/** What one can write in a function, for completion: the runtime's globals, and the shapes of events. */
import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";

/** Members by the name before the dot. Types as TypeScript writes them. */
type Members = Record<string, [type: string, info?: string]>;

const CONTEXT: Members = {
  active: ["boolean"],
  app: ["{ name, version, build, namespace }"],
  campaign: ["{ name, source, medium, term, content }"],
  device: ["{ id, type, manufacturer, model, advertisingId, … }"],
  groupId: ["string"],
  ip: ["string"],
  library: ["{ name, version }"],
  locale: ["string", "en-US"],
  location: ["{ city, country, region, latitude, longitude }"],
  network: ["{ wifi, cellular, carrier, … }"],
  os: ["{ name, version }"],
  page: ["{ path, referrer, search, title, url }"],
  referrer: ["{ id, type, … }"],
  screen: ["{ width, height, density }"],
  timezone: ["string", "Europe/Berlin"],
  traits: ["object", "Of the person, where the library sends them along"],
  userAgent: ["string"],
};
const EVENT: Members = {
  type: ["string", "track, identify, page, screen, group, alias or delete"],
  event: ["string", "The name of a track call"],
  name: ["string", "Of a page or screen"],
  userId: ["string | undefined"],
  anonymousId: ["string | undefined"],
  groupId: ["string | undefined"],
  previousId: ["string | undefined", "Of an alias call"],
  messageId: ["string"],
  properties: ["object"],
  traits: ["object"],
  context: ["object"],
  integrations: ["object"],
  timestamp: ["string", "When it happened, ISO 8601"],
  sentAt: ["string"],
  originalTimestamp: ["string"],
  receivedAt: ["string"],
};
const MEMBERS: Record<string, Members> = {
  event: EVENT,
  "event.context": CONTEXT,
  cache: {
    load: ["(key, ttl, fn) => Promise", "The kept value, or what fn gives; ttl in ms"],
    delete: ["(key) => void"],
  },
  console: { log: ["(...values)"], info: ["(...values)"], warn: ["(...values)"], error: ["(...values)"] },
  response: {
    ok: ["boolean"],
    status: ["number"],
    statusText: ["string"],
    headers: ["Headers"],
    json: ["() => Promise<any>"],
    text: ["() => Promise<string>"],
    buffer: ["() => Promise<Buffer>"],
  },
  request: {
    url: ["URL"],
    headers: ["Headers"],
    json: ["() => any", "The body, parsed"],
    text: ["() => string"],
  },
  crypto: {
    createHash: ["(algorithm) => Hash"],
    createHmac: ["(algorithm, key) => Hmac"],
    randomUUID: ["() => string"],
    randomBytes: ["(size) => Buffer"],
    timingSafeEqual: ["(a, b) => boolean"],
  },
  Segment: {
    identify: ["(event)"],
    track: ["(event)"],
    page: ["(event)"],
    screen: ["(event)"],
    group: ["(event)"],
    alias: ["(event)"],
    set: ["(object)"],
  },
  Buffer: { from: ["(value, encoding?) => Buffer"], alloc: ["(size) => Buffer"] },
};

const HANDLERS = ["onTrack", "onIdentify", "onPage", "onScreen", "onGroup", "onAlias", "onDelete"];
const GLOBALS: Completion[] = [
  ...HANDLERS.map((name) => snippet(name, "event")),
  snippet("onBatch", "events"),
  snippet("onRequest", "request"),
  ...[
    ["fetch", "function", "(url, options) => Promise<Response>"],
    ["cache", "variable", "values kept in the process"],
    ["crypto", "variable", "Node's"],
    ["Segment", "variable", "of source functions"],
    ["Buffer", "class", "Node's"],
    ["URL", "class", ""],
    ["URLSearchParams", "class", ""],
    ["FormData", "class", ""],
    ["atob", "function", ""],
    ["btoa", "function", ""],
    ["_", "variable", "lodash"],
    ["AWS", "variable", "aws-sdk v2"],
    ["jsonwebtoken", "variable", ""],
    ["moment", "function", "moment-timezone"],
    ["libphonenumberjslib", "variable", ""],
    ["OAuth", "variable", ""],
    ["stripe", "function", ""],
    ["uuid", "variable", ""],
    ["xml", "function", ""],
    ["xml2js", "variable", ""],
    ["zlib", "variable", "zlib.zlib is Node's"],
  ].map(([label, type, detail]) => ({ label: label!, type, detail })),
  ...([
    ["RetryError", "tries the event again"],
    ["EventNotSupported", "discards it: not for this function"],
    ["InvalidEventPayload", "discards it: something is missing"],
    ["ValidationError", "discards it: something is wrong"],
    ["DropEvent", "insert functions: filters it"],
  ] as const).map(([label, detail]) => ({ label, type: "class", detail })),
];

function snippet(name: string, argument: string): Completion {
  return {
    label: name,
    type: "function",
    detail: `(${argument}, settings)`,
    apply: `async function ${name}(${argument}, settings) {\n  \n}`,
    boost: 1,
  };
}

/** `settings` are the names of the function's; `sample` is an event whose own fields are offered too. */
export function completionOf(settings: string[], sample: unknown) {
  return (context: CompletionContext): CompletionResult | null => {
    const path = context.matchBefore(/[\w$]+(?:\??\.[\w$]+)*\??\.[\w$]*/);
    if (path) {
      const parts = path.text.split(/\??\./);
      const last = parts.pop()!;
      const before = parts.join(".");
      const options = [
        ...(before === "settings"
          ? settings.map((label) => ({ label, type: "property", detail: "setting" }))
          : []),
        ...members(before),
        ...own(parts, sample),
      ];
      const known = new Map(options.toReversed().map((each) => [each.label, each]));
      return known.size
        ? { from: context.pos - last.length, options: [...known.values()], validFor: /^[\w$]*$/ }
        : null;
    }
    const word = context.matchBefore(/[A-Za-z_$][\w$]*/);
    if (!word && !context.explicit) return null;
    return { from: word?.from ?? context.pos, options: GLOBALS, validFor: /^[\w$]*$/ };
  };
}

function members(before: string): Completion[] {
  return Object.entries(MEMBERS[before] ?? {}).map(([label, [detail, info]]) => ({
    label,
    type: detail.startsWith("(") ? "method" : "property",
    detail,
    info,
  }));
}

function own([root, ...path]: string[], sample: unknown): Completion[] {
  if (root !== "event" && root !== "e") return [];
  let value: unknown = Array.isArray(sample) ? sample[0] : sample;
  for (const part of path) value = (value as Record<string, unknown> | null | undefined)?.[part];
  if (!value || typeof value !== "object" || Array.isArray(value)) return [];
  return Object.entries(value).map(([label, each]) => ({
    label,
    type: "property",
    detail: Array.isArray(each) ? "array" : each === null ? "null" : typeof each,
    info: "in the sample event",
  }));
}
