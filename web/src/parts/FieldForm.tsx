/**
 * A form drawn from a definition's fields: settings of a destination or a source, or fields of a mapping.
 *
 *     <FieldForm fields={optionFields(metadata.options)} values={values} onChange={setValues} error={error} />
 *
 * Values are as the API takes them. A secret comes as a mask and is kept unless another is typed. `error`
 * is placed at the field that the server names; what belongs to none is for the caller to show.
 */
import {
  Autocomplete,
  Badge,
  JsonInput,
  NumberInput,
  PasswordInput,
  Select,
  Stack,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from "@mantine/core";
import type { ReactNode } from "react";
import { ApiError } from "~/api/client.ts";
import { type FormField, MASK, shownWhen } from "./fields.ts";

type Values = Record<string, unknown>;

export function FieldForm(
  { fields, values, onChange, error, disabled, input }: {
    fields: FormField[];
    values: Values;
    onChange: (values: Values) => void;
    error?: unknown;
    disabled?: boolean;
    /** Draws a field in another way; nothing for the usual one. */
    input?: (field: FormField, value: unknown, set: (value: unknown) => void) => ReactNode;
  },
) {
  return (
    <Stack gap={16}>
      {fields.filter((field) => shownWhen(field, values)).map((field) => {
        const set = (value: unknown) => onChange({ ...values, [field.key]: value });
        const value = values[field.key];
        return (
          <div key={field.key} data-field={field.key}>
            {input?.(field, value, set) || (
              <FieldInput
                field={field}
                value={value}
                onChange={set}
                disabled={disabled}
                error={error instanceof ApiError ? error.of(field.key) : undefined}
              />
            )}
          </div>
        );
      })}
    </Stack>
  );
}

export function FieldInput(
  { field, value, onChange, error, disabled }: {
    field: FormField;
    value: unknown;
    onChange: (value: unknown) => void;
    error?: string;
    disabled?: boolean;
  },
) {
  const label = field.label;
  const frame = {
    label,
    description: field.help || undefined,
    required: field.required,
    error,
    disabled: disabled || field.readOnly,
    placeholder: field.placeholder || undefined,
  };
  const text = value === undefined || value === null ? "" : String(value);
  if (field.multiple) {
    const list = Array.isArray(value) ? value.map(String) : [];
    return <TagsInput {...frame} value={list} onChange={onChange} splitChars={[","]} />;
  }
  switch (field.kind) {
    case "boolean":
      return (
        <Switch
          {...{ ...frame, required: undefined, placeholder: undefined }}
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      );
    case "number":
      return (
        <NumberInput
          {...frame}
          value={typeof value === "number" ? value : ""}
          onChange={(next) => onChange(next === "" ? undefined : Number(next))}
          min={field.minimum}
          max={field.maximum}
          thousandSeparator=","
        />
      );
    case "secret":
      return <Secret frame={frame} value={text} onChange={onChange} />;
    case "text":
      return (
        <Textarea
          {...frame}
          value={text}
          onChange={(event) => onChange(event.currentTarget.value)}
          autosize
          minRows={2}
        />
      );
    case "json":
      return (
        <JsonInput
          {...frame}
          defaultValue={value === undefined || value === null ? "" : JSON.stringify(value, null, 2)}
          onChange={(next) => {
            try {
              onChange(next.trim() ? JSON.parse(next) : undefined);
            } catch {
              // Said at the field by `validationError`, until it is JSON.
            }
          }}
          validationError="This is not JSON"
          formatOnBlur
          autosize
          minRows={3}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12.5 } }}
        />
      );
    case "choice":
      return (
        <Select
          {...frame}
          data={field.choices.map((each) => ({ value: String(each.value), label: each.label }))}
          value={text || null}
          clearable={!field.required}
          searchable={field.choices.length > 8}
          onChange={(next) => onChange(field.choices.find((each) => String(each.value) === next)?.value)}
        />
      );
    default:
      return field.choices.length
        ? (
          <Autocomplete
            {...frame}
            value={text}
            onChange={onChange}
            data={field.choices.map((each) => String(each.value))}
          />
        )
        : <TextInput {...frame} value={text} onChange={(event) => onChange(event.currentTarget.value)} />;
  }
}

/** Write-only: what is stored is never here; what one types replaces it. */
function Secret(
  { frame, value, onChange }: { frame: object; value: string; onChange: (value: unknown) => void },
) {
  const kept = value === MASK;
  return (
    <PasswordInput
      {...frame}
      value={kept ? "" : value}
      placeholder={kept ? "Set; type to replace it" : undefined}
      rightSection={kept ? <Badge size="xs" color="gray" variant="light">Set</Badge> : undefined}
      rightSectionWidth={kept ? 48 : undefined}
      onChange={(event) => onChange(event.currentTarget.value)}
      autoComplete="new-password"
    />
  );
}
