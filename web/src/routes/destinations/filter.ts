/** Filters as the editor has them: one thing to do, and when. */
import type { FilterActionView, FilterView } from "~/api/generated.ts";
import { percent } from "~/parts/format.ts";

export type Does = "drop" | "only" | "sample" | "without" | "with";

export interface FilterDraft {
  title: string;
  condition: string;
  does: Does;
  /** Of a sample: the share that is let through, in percent, and by what they are chosen. */
  share: number;
  by: string;
  /** Of `without` and `with`: paths such as `properties.email`. */
  paths: string[];
}

export const DOES: Record<Does, string> = {
  drop: "Drop these events",
  only: "Send only these events",
  sample: "Send a share of these events",
  without: "Leave properties out",
  with: "Send only some properties",
};

export const BLANK: FilterDraft = {
  title: "",
  condition: 'type = "track" and event = ""',
  does: "drop",
  share: 10,
  by: "userId",
  paths: [],
};

/** Undefined where a filter does more than the editor can show. */
export function draftOf(filter: FilterView): FilterDraft | undefined {
  const [action] = filter.actions;
  if (!action || filter.actions.length > 1) return undefined;
  const draft = { ...BLANK, title: filter.title, condition: filter.if };
  switch (action.type) {
    case "DROP": {
      const inner = negated(filter.if);
      return inner === undefined ? { ...draft, does: "drop" } : { ...draft, does: "only", condition: inner };
    }
    case "SAMPLE":
      return { ...draft, does: "sample", share: (action.percent ?? 0) * 100, by: action.path ?? "" };
    default:
      return {
        ...draft,
        does: action.type === "DROP_PROPERTIES" ? "without" : "with",
        paths: pathsOf(action),
      };
  }
}

export function written(draft: FilterDraft): { if: string; actions: FilterActionView[] } {
  const { condition, does, share, by, paths } = draft;
  switch (does) {
    case "drop":
      return { if: condition, actions: [{ type: "DROP" }] };
    case "only":
      return { if: `!(${condition})`, actions: [{ type: "DROP" }] };
    case "sample":
      return {
        if: condition,
        actions: [{ type: "SAMPLE", percent: share / 100, ...(by ? { path: by } : {}) }],
      };
    default:
      return {
        if: condition,
        actions: [{
          type: does === "without" ? "DROP_PROPERTIES" : "ALLOW_PROPERTIES",
          fields: fieldsOf(paths),
        }],
      };
  }
}

export function doesWhat(filter: FilterView): string {
  return filter.actions.map((each) => {
    switch (each.type) {
      case "DROP":
        return negated(filter.if) === undefined ? "Drops events" : "Sends only these events";
      case "SAMPLE":
        return `Sends ${percent(each.percent ?? 0)}`;
      case "DROP_PROPERTIES":
        return `Leaves out ${pathsOf(each).join(", ")}`;
      case "ALLOW_PROPERTIES":
        return `Sends only ${pathsOf(each).join(", ")}`;
    }
  }).join("; ");
}

/** What stands in `!(…)`, if that is all there is. */
function negated(condition: string): string | undefined {
  const inner = /^\s*!\(([\s\S]*)\)\s*$/.exec(condition)?.[1];
  if (inner === undefined) return undefined;
  let depth = 0;
  for (const each of inner.replace(/"[^"]*"|'[^']*'/g, "")) {
    depth += each === "(" ? 1 : each === ")" ? -1 : 0;
    if (depth < 0) return undefined;
  }
  return inner;
}

function pathsOf(action: FilterActionView): string[] {
  return Object.entries(action.fields ?? {}).flatMap(([path, keys]) =>
    (keys as string[]).map((key) => path ? `${path}.${key}` : key)
  );
}

function fieldsOf(paths: string[]): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (const each of paths) {
    const at = each.lastIndexOf(".");
    (fields[at < 0 ? "" : each.slice(0, at)] ??= []).push(each.slice(at + 1));
  }
  return fields;
}
