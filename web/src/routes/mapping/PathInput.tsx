/** A variable of the event: typed, chosen from what the event has, or picked in the event beside. */
import { Autocomplete } from "@mantine/core";
import { usePicking } from "./picking.ts";
import { bare, brief } from "./values.ts";
import css from "./Value.module.css";

export function PathInput({ value, onChange, label, error }: {
  value: string;
  onChange: (value: string) => void;
  label: string;
  error?: boolean;
}) {
  const { variables, aim, disabled } = usePicking();
  // Inside "each of a list" paths are relative, without the root.
  const relative = !value.startsWith("$");
  const write = (text: string) => onChange(relative || text.startsWith("$") ? text : `$.${text}`);
  const samples = new Map(variables.map((each) => [each.path, each.value]));
  return (
    <Autocomplete
      aria-label={label}
      placeholder={relative ? "name in each item" : "the whole event"}
      value={bare(value)}
      onChange={write}
      onFocus={() => aim((path) => onChange(relative ? bare(path) : path))}
      data={relative ? [] : variables.map((each) => each.path)}
      limit={200}
      maxDropdownHeight={320}
      error={error}
      disabled={disabled}
      comboboxProps={{ width: 380, position: "bottom-start" }}
      renderOption={({ option }) => (
        <span className={css.option}>
          <code>{option.value}</code>
          <span className="dim small cut">{brief(samples.get(option.value))}</span>
        </span>
      )}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12.5 } }}
    />
  );
}
