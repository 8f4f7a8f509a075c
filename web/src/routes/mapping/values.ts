/** What a field of a mapping can be: the kinds of values that the editor knows, and how one becomes another. */
import type { FormField } from "~/parts/fields.ts";

export type Kind =
  | "none"
  | "path"
  | "template"
  | "static"
  | "coalesce"
  | "if"
  | "case"
  | "replace"
  | "flatten"
  | "json"
  | "liquid"
  | "object"
  | "each"
  | "raw"; // deno-fmt-ignore

export const KINDS: Record<Kind, { label: string; help: string }> = {
  none: { label: "Not sent", help: "The field is left out" },
  path: { label: "Event variable", help: "A value of the event" },
  template: { label: "Text with variables", help: "+1{{traits.phone}}" },
  static: { label: "Fixed value", help: "The same for every event" },
  coalesce: { label: "First that exists", help: "A value, or else another" },
  if: { label: "If something exists", help: "One value if it does, another if not" },
  case: { label: "Upper or lower case", help: "Changes the letters of a text" },
  replace: { label: "Replace", help: "Puts one text for another" },
  flatten: { label: "Flatten", help: "{ a: { b: 1 } } becomes { a.b: 1 }" },
  json: { label: "JSON", help: "Into JSON text, or out of it" },
  liquid: { label: "Liquid", help: "{{ properties.total | times: 100 }}" },
  object: { label: "Object, key by key", help: "Each key with a value of its own" },
  each: { label: "Each of a list", help: "A list, each of its items anew" },
  raw: { label: "Mapping JSON", help: "Whatever the mapping language can say" },
};

export type Json = unknown;
type Options = Record<string, Json>;

export function kindOf(value: Json): Kind {
  if (value === undefined) return "none";
  if (value === null || typeof value !== "object") return "static";
  if (Array.isArray(value)) return value.every((each) => typeof each !== "object") ? "static" : "raw";
  const directive = Object.keys(value).find((each) => each.startsWith("@"));
  if (!directive) return "object";
  const options = (value as Options)[directive];
  if (directive === "@path") return typeof options === "string" ? "path" : "raw";
  if (directive === "@template") return typeof options === "string" ? "template" : "raw";
  if (directive === "@liquid") return typeof options === "string" ? "liquid" : "raw";
  if (directive === "@arrayPath") return isEach(options) ? "each" : "raw";
  if (!isObject(options)) return "raw";
  switch (directive) {
    case "@if":
      if (options.blank !== undefined) return "raw";
      return same(options.exists, options.then) ? "coalesce" : "if";
    case "@case":
      return "case";
    case "@replace":
      return "replace";
    case "@flatten":
      return "flatten";
    case "@json":
      return "json";
    default:
      return "raw";
  }
}

/** Another kind of value, with what can be kept of the one before. */
export function become(kind: Kind, before: Json, field?: FormField): Json {
  const inner = innermost(before);
  switch (kind) {
    case "none":
      return undefined;
    case "path":
      return isPath(inner) ? inner : { "@path": "$." };
    case "template":
      return {
        "@template": isPath(inner) ? `{{${bare(inner["@path"])}}}` : typeof before === "string" ? before : "",
      };
    case "liquid":
      return { "@liquid": isPath(inner) ? `{{ ${bare(inner["@path"])} }}` : "" };
    case "static":
      return field?.kind === "boolean" ? false : field?.kind === "number" ? 0 : field?.multiple ? [] : "";
    case "coalesce":
      return { "@if": { exists: inner, then: inner, else: { "@path": "$." } } };
    case "if":
      // The same twice would be "first that exists".
      return {
        "@if": {
          exists: isPath(inner) ? inner : { "@path": "$." },
          then: isPath(before) ? "" : before ?? "",
        },
      };
    case "case":
      return { "@case": { operator: "lower", value: inner } };
    case "replace":
      return { "@replace": { pattern: "", replacement: "", value: inner } };
    case "flatten":
      return { "@flatten": { separator: ".", value: inner } };
    case "json":
      return { "@json": { mode: "encode", value: inner } };
    case "object":
      return isObject(before) && kindOf(before) === "object" ? before : Object.fromEntries(
        (field?.more?.properties ?? []).map((each) => [each.fieldKey, each.defaultValue]),
      );
    case "each":
      return {
        "@arrayPath": [
          isPath(inner) ? inner["@path"] : "$.",
          Object.fromEntries(
            (field?.more?.properties ?? []).map((each) => [each.fieldKey, { "@path": each.fieldKey }]),
          ),
        ],
      };
    case "raw":
      return before ?? null;
  }
}

/** The value that a function works on. */
function innermost(value: Json): Json {
  if (!isObject(value)) return value ?? { "@path": "$." };
  for (const directive of ["@case", "@replace", "@flatten", "@json"]) {
    const options = value[directive];
    if (isObject(options)) return innermost(options.value);
  }
  if (isObject(value["@if"])) return innermost(value["@if"].then);
  return value;
}

export function isObject(value: Json): value is Options {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPath(value: Json): value is { "@path": string } {
  return isObject(value) && typeof value["@path"] === "string";
}

function isEach(options: Json): boolean {
  if (!Array.isArray(options) || options.length > 2) return false;
  const [path, shape] = options;
  return typeof path === "string" && (shape === undefined || (isObject(shape) && kindOf(shape) === "object"));
}

export function same(a: Json, b: Json): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** `$.properties.total` → `properties.total`; the whole event is nothing. */
export function bare(path: string): string {
  return path.replace(/^\$\.?/, "");
}

export interface Variable {
  /** As mappings write it, without `$.`. */
  path: string;
  value: Json;
}

const DEPTH = 6;
const MOST = 1000;

/** All that an event has, outer before inner; of a list its first item. */
export function variables(event: Json): Variable[] {
  const found: Variable[] = [];
  const walk = (value: Json, path: string, depth: number) => {
    if (found.length >= MOST) return;
    if (path) found.push({ path, value });
    if (typeof value !== "object" || value === null || depth > DEPTH) return;
    const entries = Array.isArray(value) ? Object.entries(value.slice(0, 1)) : Object.entries(value);
    for (const [key, each] of entries) walk(each, below(path, key, Array.isArray(value)), depth + 1);
  };
  walk(event, "", 0);
  return found;
}

function below(path: string, key: string, list: boolean): string {
  if (list) return `${path}[${key}]`;
  if (!/^[A-Za-z_][\w-]*$/.test(key)) return `${path}['${key.replace(/'/g, "\\'")}']`;
  return path ? `${path}.${key}` : key;
}

/** A value in a few words, to be shown beside its name. */
export function brief(value: Json): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
