// Modules of Node, each read when it is first asked for: to import what gives them, too, would take longer
// than all else that a runner does when it starts.
const { get } = Object.getOwnPropertyDescriptor(globalThis, "process");
let process = null;

export function require(id) {
  if (process === null) {
    process = get.call(globalThis);
    // It hangs streams on the console, and our stdout is for frames: winston would write into these.
    for (const name of ["_stdout", "_stderr"]) delete globalThis.console[name];
  }
  return process.getBuiltinModule(id);
}
