/** What is sent: each field of the action with what fills it, and what that comes to for the event at hand. */
import { Button, NumberInput, Select, Stack, Switch, TagsInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { memo, useCallback, useMemo, useRef, useState } from "react";
import type { ActionView } from "~/api/generated.ts";
import { actionFields, type FormField, shownWhen } from "~/parts/fields.ts";
import { usePicking } from "./picking.ts";
import { fixed, ToolChoice } from "./ToolChoice.tsx";
import { Value } from "./Value.tsx";
import css from "./Value.module.css";
import { brief, type Json } from "./values.ts";

export type Mapping = Record<string, Json>;

export const SYNC_MODE = "__segment_internal_sync_mode";
const BATCHING = ["enable_batching", "batch_size", "batch_bytes", "batch_keys"];

interface Props {
  action: ActionView;
  mapping: Mapping;
  onChange: (mapping: Mapping) => void;
  /** By the key of the field. */
  errors: Record<string, string>;
  /** What the mapping makes of the event at hand. */
  payload: Mapping | null | undefined;
  destinationId: string;
}

export const Fields = memo(function Fields(props: Props) {
  const { action, mapping, onChange, errors, payload, destinationId } = props;
  const { disabled } = usePicking();
  const [added, setAdded] = useState<string[]>([]);
  const all = useMemo(() => actionFields(action.fields), [action]);
  const hidden = new Set(action.fields.filter((each) => each.hidden).map((each) => each.fieldKey));
  const batching = !!action.onward.batching;
  const fields = all.filter((each) => shownWhen(each, mapping) && !(batching && BATCHING.includes(each.key)));
  const shown = fields.filter((each) =>
    (each.required && !hidden.has(each.key)) || each.key in mapping || added.includes(each.key)
  );
  const rest = fields.filter((each) => !shown.includes(each) && !hidden.has(each.key));
  // The same function throughout, so that only the row that changes is drawn anew.
  const latest = useRef(mapping);
  latest.current = mapping;
  const set = useCallback((key: string, value: Json) => {
    if (value !== undefined) return onChange({ ...latest.current, [key]: value });
    const { [key]: _, ...others } = latest.current;
    onChange(others);
    setAdded((before) => before.filter((each) => each !== key));
  }, [onChange]);
  const sync = action.onward.syncMode;
  return (
    <>
      <div className="panel">
        {sync && (
          <div className={css.row}>
            <Select
              label={sync.label}
              description={sync.description}
              disabled={disabled}
              value={String(mapping[SYNC_MODE] ?? "") || null}
              onChange={(value) => set(SYNC_MODE, value ?? undefined)}
              data={sync.choices.map((each) => ({ value: String(each.value), label: each.label }))}
              error={errors[SYNC_MODE]}
            />
          </div>
        )}
        {shown.map((field) => (
          <Row
            key={field.key}
            field={field}
            value={mapping[field.key]}
            set={set}
            error={errors[field.key]}
            result={payload ? brief(payload[field.key]) : ""}
            asked={field.dynamic ? { action, mapping, destinationId } : undefined}
          />
        ))}
        {rest.length > 0 && !disabled && (
          <div className={css.row}>
            <Select
              aria-label="Add a field"
              placeholder={`Add a field (${rest.length} more)`}
              searchable
              clearable
              value={null}
              leftSection={<IconPlus size={16} />}
              nothingFoundMessage="No such field"
              data={rest.map((each) => ({ value: each.key, label: each.label }))}
              onChange={(key) => {
                const field = rest.find((each) => each.key === key);
                if (!field) return;
                setAdded([...added, field.key]);
                onChange({ ...mapping, [field.key]: field.fallback ?? { "@path": "$." } });
              }}
            />
          </div>
        )}
      </div>
      {batching && <Batching {...props} set={set} />}
    </>
  );
});

const Row = memo(function Row({ field, value, set: setField, error, result, asked }: {
  field: FormField;
  value: Json;
  set: (key: string, value: Json) => void;
  error: string | undefined;
  /** What it comes to. */
  result: string;
  /** What the tool is asked about, for dynamic fields. */
  asked?: Pick<Props, "action" | "mapping" | "destinationId">;
}) {
  const set = (next: Json) => setField(field.key, next);
  return (
    <div className={css.row} data-field={field.key}>
      <div className={css.head}>
        <span className={`cut ${css.label}`} title={field.help || undefined}>
          {field.label}
        </span>
        {field.required && <span className="dim small">required</span>}
        {result && typeof value === "object" && (
          <code
            className={`dim cut small ${css.result}`}
            title={result}
            aria-label={`${field.label} comes to`}
          >
            {result}
          </code>
        )}
      </div>
      {asked && typeof value !== "object"
        ? <DynamicChoice field={field} value={value} set={set} {...asked} />
        : <Value label={field.label} field={field} value={value} onChange={set} error={!!error} optional />}
      {error
        ? (
          <p className={`small ${css.error}`} role="alert">
            {field.required && value === undefined ? "This is required." : error}
          </p>
        )
        : field.help && value === undefined && <p className={`dim small ${css.help}`}>{field.help}</p>}
    </div>
  );
});

/** A choice of the tool's, or an event variable after all. */
function DynamicChoice({ field, value, set, action, mapping, destinationId }:
  & Pick<Props, "action" | "mapping" | "destinationId">
  & { field: FormField; value: Json; set: (value: Json) => void }) {
  const { disabled } = usePicking();
  const asked = { destinationId, action: action.slug, field: field.key, payload: fixed(mapping) };
  return (
    <div className={css.line} style={{ gridTemplateColumns: "minmax(0, 1fr) auto" }}>
      <ToolChoice asked={asked} field={field} value={value} onChange={set} disabled={disabled} />
      <Button variant="default" disabled={disabled} onClick={() => set({ "@path": "$." })}>
        Use a variable
      </Button>
    </div>
  );
}

function Batching({ action, mapping, set, errors }: Props & { set: (key: string, value: Json) => void }) {
  const { disabled } = usePicking();
  const { maxSize, defaultSize } = action.onward.batching!;
  const has = (key: string) => action.fields.some((each) => each.fieldKey === key);
  const on = mapping.enable_batching === true;
  if (!has("enable_batching")) return null;
  return (
    <Stack gap={12} className="panel" p={16} mt={12}>
      <Switch
        label="Send events in batches"
        description="Fewer requests; each event may wait a little for others."
        disabled={disabled}
        checked={on}
        onChange={(event) => set("enable_batching", event.currentTarget.checked)}
        error={errors.enable_batching}
      />
      {on && has("batch_size") && (
        <NumberInput
          label="Batch size"
          description={`Events in a request: ${defaultSize} if empty, ${maxSize} at most.`}
          maw={240}
          min={1}
          max={maxSize}
          thousandSeparator=","
          disabled={disabled}
          value={typeof mapping.batch_size === "number" ? mapping.batch_size : ""}
          onChange={(value) => set("batch_size", value === "" ? undefined : Number(value))}
          error={errors.batch_size}
        />
      )}
      {on && has("batch_keys") && (
        <TagsInput
          label="Batch keys"
          description="Fields that events of a batch have in common."
          disabled={disabled}
          data={action.fields.map((each) => each.fieldKey).filter((each) => !BATCHING.includes(each))}
          value={Array.isArray(mapping.batch_keys) ? mapping.batch_keys.map(String) : []}
          onChange={(value) => set("batch_keys", value)}
          error={errors.batch_keys}
        />
      )}
    </Stack>
  );
}
