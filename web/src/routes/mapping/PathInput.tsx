/**
 * A variable of the event: typed, chosen from what the event has, or picked in the event beside. A mapping can
 * have a hundred of them, so that the list is only there while one is in the field.
 */
import { TextInput } from "@mantine/core";
import { type KeyboardEvent, useId, useState } from "react";
import { usePicking } from "./picking.ts";
import { bare, brief, type Variable } from "./values.ts";
import css from "./Value.module.css";

const SHOWN = 100;

export function PathInput({ value, onChange, label, error }: {
  value: string;
  onChange: (value: string) => void;
  label: string;
  error?: boolean;
}) {
  const { variables, aim, disabled } = usePicking();
  const id = useId();
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const [typed, setTyped] = useState(false);
  // Inside "each of a list" paths are relative, without the root.
  const relative = !value.startsWith("$");
  const text = bare(value);
  const write = (next: string) => onChange(relative || next.startsWith("$") ? next : `$.${next}`);
  const found = open && !relative ? matching(variables, typed ? text : "") : [];
  const choose = (path: string) => {
    write(path);
    setOpen(false);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && open) {
      event.stopPropagation();
      setOpen(false);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) return setOpen(true);
      const next = at + (event.key === "ArrowDown" ? 1 : -1);
      setAt(Math.max(0, Math.min(next, found.length - 1)));
    } else if (event.key === "Enter" && open && found[at]) {
      event.preventDefault();
      choose(found[at].path);
    }
  };
  return (
    <div className={css.path}>
      <TextInput
        aria-label={label}
        placeholder={relative ? "name in each item" : "the whole event"}
        value={text}
        error={error}
        disabled={disabled}
        autoComplete="off"
        spellCheck={false}
        role={relative ? undefined : "combobox"}
        aria-expanded={relative ? undefined : found.length > 0}
        aria-controls={found.length ? id : undefined}
        aria-activedescendant={found[at] ? `${id}-${at}` : undefined}
        aria-autocomplete={relative ? undefined : "list"}
        onFocus={() => {
          aim((path) => onChange(relative ? bare(path) : path));
          setTyped(false);
          setAt(-1);
          setOpen(true);
        }}
        onClick={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setTyped(true);
          setAt(-1);
          setOpen(true);
          write(event.currentTarget.value);
        }}
        classNames={{ input: css.code }}
      />
      {found.length > 0 && (
        <ul id={id} role="listbox" aria-label={`Variables for ${label}`} className={css.options}>
          {found.map((each, index) => (
            <li
              key={each.path}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === at}
              ref={index === at
                ? (node) => node?.scrollIntoView({ block: "nearest" })
                : undefined}
              onMouseDown={(event) => {
                event.preventDefault(); // the field keeps the focus
                choose(each.path);
              }}
            >
              <code>{each.path}</code>
              <span className="dim small cut">{brief(each.value)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function matching(variables: Variable[], text: string): Variable[] {
  const wanted = text.trim().toLowerCase();
  return variables.filter((each) => each.path.toLowerCase().includes(wanted)).slice(0, SHOWN);
}
