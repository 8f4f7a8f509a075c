/** Chooses what kind of value a field has. The menu itself is only there while it is open. */
import { Menu } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import { useRef, useState } from "react";
import css from "./Value.module.css";
import { type Kind, KINDS } from "./values.ts";

const MOST_USED: Kind[] = ["path", "static", "template", "coalesce"];
const FUNCTIONS: Kind[] = ["if", "case", "replace", "flatten", "json", "liquid", "object", "each", "raw"];

export function KindMenu({ kind, onChange, label, optional, disabled }: {
  kind: Kind;
  onChange: (kind: Kind) => void;
  label: string;
  optional: boolean;
  disabled: boolean;
}) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const item = (each: Kind) => (
    <Menu.Item
      key={each}
      onClick={() => onChange(each)}
      fw={each === kind ? 600 : undefined}
    >
      {KINDS[each].label}
      <span className="dim small" style={{ display: "block" }}>{KINDS[each].help}</span>
    </Menu.Item>
  );
  return (
    <span className={css.menu}>
      <button
        ref={button}
        type="button"
        className={css.kind}
        disabled={disabled}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-label={`${label}: ${KINDS[kind].label}. Change its kind`}
        onClick={() => setOpen(!open)}
      >
        {KINDS[kind].label}
        <IconChevronDown size={12} aria-hidden />
      </button>
      {open && (
        <Menu
          opened
          position="bottom-start"
          returnFocus={false}
          onClose={() => {
            setOpen(false);
            button.current?.focus();
          }}
        >
          <Menu.Target>
            <span className={css.anchor} />
          </Menu.Target>
          <Menu.Dropdown mah={420} style={{ overflowY: "auto" }}>
            {MOST_USED.map(item)}
            <Menu.Divider />
            {FUNCTIONS.map(item)}
            {optional && (
              <>
                <Menu.Divider />
                {item("none")}
              </>
            )}
          </Menu.Dropdown>
        </Menu>
      )}
    </span>
  );
}
