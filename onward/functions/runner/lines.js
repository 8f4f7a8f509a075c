// TypeScript whose types can't just be taken out is written anew, and its lines move. A table of where each line was
// stands in the last line of the JavaScript, so that errors tell the lines that were written.
const MARK = "\n//# written on lines ";
const MAP = /\n\/\/# sourceMappingURL=data:application\/json;base64,([\w+/=]+)\s*$/;
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Code with a source map at its end → code with such a table.
export function withTable(code) {
  const found = MAP.exec(code);
  if (!found) return code;
  const { mappings } = JSON.parse(atob(found[1]));
  return code.slice(0, found.index) + MARK + tableOf(mappings).join(",");
}

// Code → the table, or null: `table[5]` is where line 6 was.
export function readTable(code) {
  const at = code.lastIndexOf(MARK);
  return at < 0 ? null : code.slice(at + MARK.length).split(",").map(Number);
}

// Of the mappings of a source map (ECMA-426): the line that the first segment of each line points to, or else of the
// line before.
function tableOf(mappings) {
  let line = 0;
  return mappings.split(";").map((segments) => {
    let first;
    for (const segment of segments.split(",")) {
      const moved = decoded(segment)[2];
      if (moved === undefined) continue;
      line += moved;
      first ??= line;
    }
    return (first ?? line) + 1;
  });
}

// Numbers in base 64, five bits a digit, the least first; the last bit of a number is its sign.
function decoded(segment) {
  const numbers = [];
  let value = 0, shift = 0;
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = shift = 0;
  }
  return numbers;
}
