// Stacks without the frames of what is around the user's code, which tell nobody anything but where it is kept.
const OURS = /runner\/\w+\.js|ext:|node:|\beval \(/;

export function withoutOurs(stack) {
  return stack.split("\n").filter((line) => !OURS.test(line)).join("\n").replaceAll(", <anonymous>:", ":");
}
