/** Fields of definitions, from the two shapes in which the API tells them, and when they are shown. */
import type { Choice, FieldView, MoreOfField, OptionView } from "~/api/generated.ts";

/** Stands for a stored secret; sent back it means: keep it. */
export const MASK = "••••••••";

export interface FormField {
  key: string;
  label: string;
  help: string;
  kind: "string" | "text" | "number" | "boolean" | "choice" | "secret" | "json";
  required: boolean;
  multiple: boolean;
  choices: Choice[];
  /** Choices are asked of the tool itself. */
  dynamic: boolean;
  placeholder: string;
  readOnly: boolean;
  fallback: unknown;
  minimum?: number;
  maximum?: number;
  more?: MoreOfField;
}

/** Settings of a source, a destination or a warehouse. */
export function optionFields(options: OptionView[]): FormField[] {
  return options.map((each) => ({
    key: each.name,
    label: each.label || each.name,
    help: each.description,
    kind: kindOfOption(each),
    required: each.required,
    multiple: each.type === "array",
    choices: each.choices ?? [],
    dynamic: false,
    placeholder: "",
    readOnly: each.onward?.readOnly ?? false,
    fallback: each.defaultValue,
    minimum: each.onward?.minimum,
    maximum: each.onward?.maximum,
    more: each.onward,
  }));
}

/** Fields of an action's mapping. */
export function actionFields(fields: FieldView[]): FormField[] {
  return fields.toSorted((a, b) => a.sortOrder - b.sortOrder).map((each) => ({
    key: each.fieldKey,
    label: each.label,
    help: each.description,
    kind: kindOfField(each),
    required: each.required,
    multiple: each.multiple,
    choices: each.choices ?? [],
    dynamic: each.dynamic,
    placeholder: each.placeholder,
    readOnly: each.onward?.readOnly ?? false,
    fallback: each.defaultValue,
    minimum: each.onward?.minimum,
    maximum: each.onward?.maximum,
    more: each.onward,
  }));
}

function kindOfOption({ type, choices }: OptionView): FormField["kind"] {
  if (type === "password") return "secret";
  if (type === "boolean" || type === "number") return type;
  if (type === "map") return "json";
  return type === "select" || choices?.length ? "choice" : "string";
}

function kindOfField({ type, choices, dynamic }: FieldView): FormField["kind"] {
  if (type === "PASSWORD") return "secret";
  if (type === "BOOLEAN") return "boolean";
  if (type === "INTEGER" || type === "NUMBER") return "number";
  if (type === "OBJECT") return "json";
  if (type === "TEXT") return "text";
  return choices?.length && !dynamic ? "choice" : "string";
}

interface Condition {
  fieldKey: string;
  operator: string;
  value: unknown;
}

/** Whether a field's `dependsOn` holds for these values. */
export function shownWhen(field: FormField, values: Record<string, unknown>): boolean {
  const wanted = field.more?.dependsOn as { match?: string; conditions?: Condition[] } | undefined;
  if (!wanted?.conditions?.length) return true;
  const hold = wanted.conditions.map((each) => {
    const value = values[each.fieldKey];
    const same = Array.isArray(each.value) ? each.value.includes(value) : value === each.value;
    const nothing = each.value === undefined && (value === undefined || value === null || value === "");
    return each.operator === "is_not" ? !(same || nothing) : same || nothing;
  });
  return wanted.match === "any" ? hold.some(Boolean) : hold.every(Boolean);
}

/** What a new form begins with. */
export function defaults(fields: FormField[]): Record<string, unknown> {
  const set = fields.filter((each) => each.fallback !== null && each.fallback !== undefined);
  return Object.fromEntries(set.map((each) => [each.key, each.fallback]));
}
