// Stand-ins for the modules of Node that libraries ask for and can do without.
const refuse = (what) => () => {
  throw new Error(`${what} is not available in functions`);
};

const process = {
  env: {}, argv: ["node"], version: "v20.0.0", versions: { node: "20.0.0" }, platform: "linux", arch: "x64", pid: 1,
  execPath: "node", noDeprecation: true, stdout: {}, stderr: {}, browser: false,
  nextTick: (callback, ...rest) => queueMicrotask(() => callback(...rest)),
  emitWarning() {}, on() {}, once() {}, off() {}, removeListener() {}, cwd: () => "/", uptime: () => performance.now() / 1e3,
  [Symbol.toStringTag]: "process", // by which axios knows Node
  memoryUsage: () => ({ heapUsed: 0, heapTotal: 0, rss: 0, external: 0 }),
  hrtime: Object.assign(() => {
    const now = performance.now();
    return [Math.floor(now / 1e3), Math.floor((now % 1e3) * 1e6)];
  }, { bigint: () => BigInt(Math.round(performance.now() * 1e6)) }),
};

const absent = () => Object.assign(new Error("files are not available in functions"), { code: "ENOENT" });
const missing = (...parameters) => {
  const callback = parameters.at(-1);
  if (typeof callback !== "function") throw absent();
  callback(absent());
};
const own = { existsSync: () => false, constants: {}, promises: {}, realpath: Object.assign(missing, { native: missing }) };
const fs = new Proxy(own, { get: (target, name) => name in target ? target[name] : missing });

export const stubs = {
  process,
  fs,
  "fs/promises": { readFile: async () => { throw absent(); } },
  os: {
    platform: () => "linux", release: () => "0", type: () => "Linux", arch: () => "x64", hostname: () => "function",
    homedir: () => "/", tmpdir: () => "/tmp", EOL: "\n", cpus: () => [], networkInterfaces: () => ({}),
  },
  child_process: { exec: refuse("child_process"), spawn: refuse("child_process") },
  net: { isIP: (text) => /^\d+(\.\d+){3}$/.test(text) ? 4 : text.includes(":") ? 6 : 0 },
  tls: {},
  dns: {},
  dgram: { createSocket: refuse("dgram") },
  http2: { constants: {}, connect: refuse("http2") },
  worker_threads: { isMainThread: true },
  domain: { create: () => ({ run: (work) => work(), on() {}, bind: (work) => work }) },
  tty: { isatty: () => false },
  readline: {},
  cluster: { isMaster: true },
  constants: {},
};
