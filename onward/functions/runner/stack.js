// Stacks without the frames of what is around the user's code, which tell nobody anything but where it is kept; lines
// are those that were written (lines.js).
const OURS = /runner\/\w+\.js|ext:|node:|\beval \(/;
let table = null;

export function setTable(found) {
  table = found;
}

export function writtenOn(line) {
  return table?.[line - 1] ?? line;
}

export function withoutOurs(stack) {
  const own = stack.split("\n").filter((line) => !OURS.test(line)).join("\n").replaceAll(", <anonymous>:", ":");
  return table === null ? own : own.replace(/function\.js:(\d+):\d+/g, (_, line) => `function.js:${writtenOn(Number(line))}`);
}
