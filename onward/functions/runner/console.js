// What the user's code prints, kept with the invocation that printed it, and bounded.
import { format } from "node:util";
import { withoutOurs } from "./stack.js";

const ALL = 65536, LINE = 8192, LINES = 1000; // characters, characters, lines

export class Console {
  constructor(current) {
    const timers = new Map(), counts = new Map();
    let indent = "";
    const write = (level, parts) => {
      const invocation = current.getStore();
      if (!invocation) return; // nobody to tell
      if (invocation.printed >= ALL || invocation.logs.length >= LINES) {
        invocation.lost++;
        return;
      }
      let text;
      try {
        text = parts.length === 1 && typeof parts[0] === "string" ? parts[0] : format(...parts);
      } catch {
        text = "[what can't be printed]";
      }
      if (text.includes("runner/")) text = withoutOurs(text);
      text = indent + text;
      if (text.length > LINE) text = `${text.slice(0, LINE - 1)}…`;
      invocation.printed += text.length;
      invocation.logs.push([Date.now(), level, text]);
    };
    for (const level of ["log", "info", "warn", "error", "debug"]) this[level] = (...parts) => write(level, parts);
    for (const name of ["dir", "table"]) this[name] = (value) => write("log", [value]);
    this.dirxml = this.log;
    this.clear = () => {};
    this.trace = (...parts) => write("error", ["Trace:", ...parts]);
    this.assert = (holds, ...parts) => holds || write("error", ["Assertion failed", ...parts]);
    this.group = this.groupCollapsed = (...parts) => {
      if (parts.length) write("log", parts);
      if (indent.length < 40) indent += "  ";
    };
    this.groupEnd = () => {
      indent = indent.slice(2);
    };
    this.time = (label = "default") => timers.set(label, performance.now());
    this.timeLog = this.timeEnd = (label = "default") =>
      timers.has(label) && write("log", [`${label}: ${(performance.now() - timers.get(label)).toFixed(3)}ms`]);
    this.count = (label = "default") => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      write("log", [`${label}: ${counts.get(label)}`]);
    };
    this.countReset = (label = "default") => {
      counts.delete(label);
    };
  }
}
