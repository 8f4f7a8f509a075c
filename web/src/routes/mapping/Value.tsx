/** One value of a mapping, whatever it is: its kind, and what goes with that. Values hold values. */
import {
  ActionIcon,
  Button,
  Checkbox,
  NumberInput,
  SegmentedControl,
  Select,
  TagsInput,
  Textarea,
  TextInput,
} from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import type { FormField } from "~/parts/fields.ts";
import { KindMenu } from "./KindMenu.tsx";
import { PathInput } from "./PathInput.tsx";
import { usePicking } from "./picking.ts";
import css from "./Value.module.css";
import { bare, become, type Json, type Kind, kindOf } from "./values.ts";

interface Props {
  value: Json;
  onChange: (value: Json) => void;
  /** What it is the value of. */
  label: string;
  field?: FormField;
  error?: boolean;
  /** Whether it may be left out. */
  optional?: boolean;
}

export function Value({ value, onChange, label, field, error, optional = true }: Props) {
  const { disabled } = usePicking();
  const [chosen, setChosen] = useState<Kind>();
  const found = kindOf(value);
  // What has to be there is an empty field to fill in, and not "not sent".
  const kind = chosen === "raw"
    ? "raw"
    : found === "none" && field?.required && field.kind !== "json"
    ? "static"
    : found;
  const choose = (next: Kind) => {
    setChosen(next);
    onChange(become(next, value, field));
  };
  const { line, inner } = editor({ kind, value, onChange, label, field, error, disabled });
  return (
    <div className={css.value}>
      <div className={css.line}>
        <KindMenu kind={kind} onChange={choose} label={label} optional={optional} disabled={disabled} />
        <div style={{ minWidth: 0 }}>{line}</div>
      </div>
      {inner && <div className={css.inner}>{inner}</div>}
    </div>
  );
}

interface Editing extends Props {
  kind: Kind;
  disabled: boolean;
}

/** What is in the line beside the kind, and what is below. */
function editor(given: Editing): { line?: ReactNode; inner?: ReactNode } {
  const { kind, value, onChange, label, field, error, disabled } = given;
  const object = value as Record<string, Record<string, Json>>;
  /** One option of a directive. */
  const set = (directive: string, changes: object) =>
    onChange({ [directive]: { ...object[directive], ...changes } });
  switch (kind) {
    case "none":
      return {};
    case "path":
      return {
        line: (
          <PathInput
            label={label}
            value={String((value as { "@path": string })["@path"])}
            onChange={(next) => onChange({ "@path": next })}
            error={error}
          />
        ),
      };
    case "template":
    case "liquid":
      return {
        line: <TextWithVariables {...given} directive={kind === "template" ? "@template" : "@liquid"} />,
      };
    case "static":
      return { line: <Static {...given} /> };
    case "coalesce":
      return {
        inner: (
          <>
            <Part name="First">
              <Value
                label={`${label}, first`}
                field={field}
                value={object["@if"]!.then}
                onChange={(next) => set("@if", { exists: next, then: next })}
                optional={false}
                error={error}
              />
            </Part>
            <Part name="or else">
              <Value
                label={`${label}, or else`}
                field={field}
                value={object["@if"]!.else}
                onChange={(next) => set("@if", { else: next })}
              />
            </Part>
          </>
        ),
      };
    case "if":
      return {
        inner: (
          <>
            {([["exists", "If there is"], ["then", "then"], ["else", "otherwise"]] as const).map((
              [key, name],
            ) => (
              <Part key={key} name={name}>
                <Value
                  label={`${label}, ${name}`}
                  field={key === "exists" ? undefined : field}
                  value={object["@if"]![key]}
                  onChange={(next) => set("@if", { [key]: next })}
                  optional={key !== "exists"}
                />
              </Part>
            ))}
          </>
        ),
      };
    case "case":
      return {
        line: (
          <SegmentedControl
            size="xs"
            aria-label={`${label}: case`}
            disabled={disabled}
            value={String(object["@case"]!.operator)}
            onChange={(operator) => set("@case", { operator })}
            data={[{ value: "lower", label: "lower" }, { value: "upper", label: "UPPER" }]}
          />
        ),
        inner: <Of {...given} directive="@case" />,
      };
    case "json":
      return {
        line: (
          <SegmentedControl
            size="xs"
            aria-label={`${label}: into or out of JSON`}
            disabled={disabled}
            value={String(object["@json"]!.mode)}
            onChange={(mode) => set("@json", { mode })}
            data={[{ value: "encode", label: "Into JSON" }, { value: "decode", label: "Out of JSON" }]}
          />
        ),
        inner: <Of {...given} directive="@json" />,
      };
    case "flatten":
      return {
        line: (
          <TextInput
            aria-label={`${label}: separator`}
            maw={80}
            disabled={disabled}
            value={String(object["@flatten"]!.separator ?? "")}
            onChange={(event) => set("@flatten", { separator: event.currentTarget.value })}
          />
        ),
        inner: (
          <>
            <Of {...given} directive="@flatten" />
            <Checkbox
              label="Leave lists as they are"
              disabled={disabled}
              checked={object["@flatten"]!.omitArrays === true}
              onChange={(event) => set("@flatten", { omitArrays: event.currentTarget.checked || undefined })}
            />
          </>
        ),
      };
    case "replace":
      return { inner: <Replace {...given} /> };
    case "object":
      return {
        inner: (
          <Pairs
            value={value as Record<string, Json>}
            onChange={onChange}
            label={label}
            field={field}
          />
        ),
      };
    case "each": {
      const [path, shape] = (value as { "@arrayPath": [string, Record<string, Json>?] })["@arrayPath"];
      return {
        line: (
          <PathInput
            label={`${label}: list`}
            value={path}
            onChange={(next) => onChange({ "@arrayPath": shape ? [next, shape] : [next] })}
            error={error}
          />
        ),
        inner: (
          <Pairs
            value={shape ?? {}}
            onChange={(next) => onChange({ "@arrayPath": [path, next] })}
            label={label}
            field={field}
            begin={{ "@path": "" }}
          />
        ),
      };
    }
    case "raw":
      return { inner: <Raw value={value} onChange={onChange} label={label} disabled={disabled} /> };
  }
}

function Part({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={css.part}>
      <span className="dim small">{name}</span>
      {children}
    </div>
  );
}

/** The value that a function works on. */
function Of({ value, onChange, label, directive }: Editing & { directive: string }) {
  const options = (value as Record<string, Record<string, Json>>)[directive]!;
  return (
    <Part name="of">
      <Value
        label={`${label}, of`}
        value={options.value}
        onChange={(next) => onChange({ [directive]: { ...options, value: next } })}
        optional={false}
      />
    </Part>
  );
}

function TextWithVariables(
  { value, onChange, label, error, disabled, directive }: Editing & { directive: string },
) {
  const { aim } = usePicking();
  const text = String((value as Record<string, Json>)[directive] ?? "");
  const write = (next: string) => onChange({ [directive]: next });
  return (
    <Textarea
      aria-label={label}
      autosize
      minRows={1}
      maxLength={directive === "@liquid" ? 1000 : undefined}
      error={error}
      disabled={disabled}
      value={text}
      placeholder="Hello {{traits.name}}"
      onFocus={() => aim((path) => write(`${text}{{${bare(path)}}}`))}
      onChange={(event) => write(event.currentTarget.value)}
      classNames={{ input: css.code }}
    />
  );
}

/** As the field wants it; without a field, by what it is. */
function Static({ value, onChange, label, field, error, disabled }: Editing) {
  const frame = { "aria-label": label, error, disabled };
  if (field?.multiple || Array.isArray(value)) {
    return <TagsInput {...frame} value={Array.isArray(value) ? value.map(String) : []} onChange={onChange} />;
  }
  if (field?.kind === "boolean" || (!field && typeof value === "boolean")) {
    return (
      <SegmentedControl
        size="xs"
        aria-label={label}
        disabled={disabled}
        value={String(value === true)}
        onChange={(next) => onChange(next === "true")}
        data={[{ value: "true", label: "Yes" }, { value: "false", label: "No" }]}
      />
    );
  }
  if (field?.kind === "number" || (!field && typeof value === "number")) {
    return (
      <NumberInput
        {...frame}
        value={typeof value === "number" ? value : ""}
        min={field?.minimum}
        max={field?.maximum}
        onChange={(next) => onChange(next === "" ? undefined : Number(next))}
      />
    );
  }
  if (field?.choices.length && !field.dynamic) {
    return (
      <Select
        {...frame}
        searchable={field.choices.length > 8}
        data={field.choices.map((each) => ({ value: String(each.value), label: each.label }))}
        value={value === null || value === undefined ? null : String(value)}
        onChange={(next) => onChange(field.choices.find((each) => String(each.value) === next)?.value)}
      />
    );
  }
  return (
    <TextInput
      {...frame}
      placeholder={field?.placeholder || (value === null ? "null" : undefined)}
      value={value === null || value === undefined ? "" : String(value)}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

function Replace(given: Editing) {
  const { value, onChange, label, disabled } = given;
  const options = (value as Record<string, Record<string, Json>>)["@replace"]!;
  const set = (changes: object) => onChange({ "@replace": { ...options, ...changes } });
  const two = options.pattern2 !== undefined;
  const pair = (pattern: string, replacement: string, which: string) => (
    <Part name={which}>
      <div style={{ display: "grid", gridTemplateColumns: "1fr 1fr", gap: 8 }}>
        {[pattern, replacement].map((key, at) => (
          <TextInput
            key={key}
            aria-label={`${label}: ${which} ${at ? "with" : "find"}`}
            placeholder={at ? "nothing" : "find"}
            maxLength={10}
            disabled={disabled}
            value={String(options[key] ?? "")}
            onChange={(event) => set({ [key]: event.currentTarget.value })}
          />
        ))}
      </div>
    </Part>
  );
  return (
    <>
      {pair("pattern", "replacement", "replace, with")}
      {two ? pair("pattern2", "replacement2", "and, with") : (
        <Button
          variant="subtle"
          size="compact-sm"
          style={{ justifySelf: "start" }}
          disabled={disabled}
          onClick={() => set({ pattern2: "", replacement2: "" })}
        >
          Replace another
        </Button>
      )}
      <Of {...given} directive="@replace" />
    </>
  );
}

/** An object key by key. */
function Pairs({ value, onChange, label, field, begin = { "@path": "$." } }: {
  value: Record<string, Json>;
  onChange: (value: Record<string, Json>) => void;
  label: string;
  field?: FormField;
  /** What a new key has. */
  begin?: Json;
}) {
  const { disabled } = usePicking();
  const entries = Object.entries(value);
  const properties = field?.more?.properties ?? [];
  const free = properties.find((each) => !(each.fieldKey in value))?.fieldKey;
  return (
    <>
      {entries.map(([key, each], at) => (
        <div key={at} className={css.pair}>
          <TextInput
            aria-label={`${label}: key ${at + 1}`}
            value={key}
            disabled={disabled}
            error={key === ""}
            onChange={(event) => {
              const next = event.currentTarget.value;
              if (next !== key && next in value) return; // a key is there once
              onChange(Object.fromEntries(entries.map(([name, one]) => [name === key ? next : name, one])));
            }}
          />
          <Value
            label={`${label}.${key}`}
            value={each}
            optional={false}
            onChange={(next) => onChange({ ...value, [key]: next })}
          />
          <ActionIcon
            size={32}
            aria-label={`Remove ${key}`}
            disabled={disabled}
            onClick={() => onChange(Object.fromEntries(entries.filter(([name]) => name !== key)))}
          >
            <IconX size={14} />
          </ActionIcon>
        </div>
      ))}
      <Button
        variant="subtle"
        size="compact-sm"
        style={{ justifySelf: "start" }}
        leftSection={<IconPlus size={14} />}
        disabled={disabled || "" in value}
        onClick={() => onChange({ ...value, [free ?? ""]: begin })}
      >
        Add key
      </Button>
    </>
  );
}

function Raw({ value, onChange, label, disabled }: {
  value: Json;
  onChange: (value: Json) => void;
  label: string;
  disabled: boolean;
}) {
  const [text, setText] = useState(() => JSON.stringify(value ?? null, null, 2));
  const [wrong, setWrong] = useState("");
  return (
    <Textarea
      aria-label={`${label} as JSON`}
      autosize
      minRows={2}
      disabled={disabled}
      value={text}
      error={wrong}
      onChange={(event) => {
        setText(event.currentTarget.value);
        try {
          onChange(JSON.parse(event.currentTarget.value));
          setWrong("");
        } catch {
          setWrong("This is not JSON yet; the value from before holds.");
        }
      }}
      classNames={{ input: css.code }}
    />
  );
}
