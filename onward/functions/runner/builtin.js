// Modules of Node, each read when it is first asked for: to import what gives them, too, would take longer
// than all else that a runner does when it starts.
const { get } = Object.getOwnPropertyDescriptor(globalThis, "process");
let process = null;

export function require(id) {
  process ||= get.call(globalThis);
  return process.getBuiltinModule(id);
}
