/**
 * JSON to read: folds, finds, copies a value or its path as a mapping writes it (`$.properties.total`).
 * What the server has masked shows as masked.
 */
import { ActionIcon, Menu, SegmentedControl, TextInput } from "@mantine/core";
import { IconChevronRight, IconDots, IconSearch } from "@tabler/icons-react";
import { memo, useState } from "react";
import { copy } from "./clipboard.ts";
import { CopyButton } from "./Copy.tsx";
import css from "./JsonView.module.css";

const MASK = "••••••••";
/** Depth from which on things are folded at first. */
const FOLDED = 3;

export function JsonView(
  { value, search: outer, tools = true, onPick }: {
    value: unknown;
    /** Marks what it finds; without it there is a field to type in. */
    search?: string;
    /** Search field, raw text and copy button above. */
    tools?: boolean;
    /** Called with the path that was clicked, to build mappings. */
    onPick?: (path: string) => void;
  },
) {
  const [inner, setInner] = useState("");
  const [raw, setRaw] = useState("pretty");
  const text = JSON.stringify(value, null, 2) ?? "";
  const search = (outer ?? inner).trim().toLowerCase();
  return (
    <div className={css.view}>
      {tools && (
        <div className={css.tools}>
          {outer === undefined && (
            <TextInput
              size="xs"
              placeholder="Find"
              aria-label="Find in JSON"
              leftSection={<IconSearch size={14} />}
              value={inner}
              onChange={(event) => setInner(event.currentTarget.value)}
            />
          )}
          <SegmentedControl
            size="xs"
            aria-label="How JSON is shown"
            value={raw}
            onChange={setRaw}
            data={[{ value: "pretty", label: "Pretty" }, { value: "raw", label: "Raw" }]}
          />
          <CopyButton value={text} label="Copy all" />
        </div>
      )}
      {raw === "raw"
        ? <pre className={css.raw} tabIndex={0}>{text}</pre>
        : (
          <div className={css.tree} role="tree" aria-label="JSON">
            <Node name={null} value={value} path="$" depth={0} search={search} onPick={onPick} />
          </div>
        )}
    </div>
  );
}

interface NodeProps {
  name: string | null;
  value: unknown;
  path: string;
  depth: number;
  search: string;
  onPick?: (path: string) => void;
}

const Node = memo(function Node({ name, value, path, depth, search, onPick }: NodeProps) {
  const nested = value !== null && typeof value === "object";
  const [chosen, setChosen] = useState<boolean>();
  const found = search !== "" && nested && includes(value, search);
  const open = chosen ?? (found || depth < FOLDED);
  const entries = nested ? Object.entries(value) : [];
  const marked = search !== "" &&
    (name?.toLowerCase().includes(search) || (!nested && shown(value).toLowerCase().includes(search)));
  return (
    <div role="treeitem" aria-expanded={nested ? open : undefined} aria-selected={false}>
      <div className={css.line} style={{ paddingLeft: depth * 16 }} data-marked={marked || undefined}>
        {nested && entries.length > 0
          ? (
            <button
              type="button"
              className={css.fold}
              data-open={open || undefined}
              aria-label={`${open ? "Fold" : "Unfold"} ${name ?? "all"}`}
              onClick={() => setChosen(!open)}
            >
              <IconChevronRight size={12} />
            </button>
          )
          : <span className={css.fold} />}
        {name !== null && (
          onPick
            ? <button type="button" className={css.key} onClick={() => onPick(path)}>{name}</button>
            : <span className={css.key}>{name}</span>
        )}
        {nested ? <span className="dim">{summary(value, entries.length)}</span> : <Leaf value={value} />}
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <ActionIcon size={18} className={css.more} aria-label={`Copy from ${name ?? "all"}`}>
              <IconDots size={12} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              onClick={() => void copy(nested ? JSON.stringify(value, null, 2) : shown(value))}
            >
              Copy value
            </Menu.Item>
            <Menu.Item onClick={() => void copy(path)}>
              Copy path <code>{path}</code>
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
      {nested && open && entries.length > 0 && (
        <div role="group">
          {entries.map(([key, each]) => (
            <Node
              key={key}
              name={key}
              value={each}
              path={below(path, key, Array.isArray(value))}
              depth={depth + 1}
              search={search}
              onPick={onPick}
            />
          ))}
        </div>
      )}
    </div>
  );
});

function Leaf({ value }: { value: unknown }) {
  if (value === MASK) return <span className={css.masked} title="You may not see this">masked</span>;
  const kind = value === null ? "null" : typeof value;
  return (
    <span className={css.value} data-kind={kind}>
      {kind === "string" ? JSON.stringify(value) : shown(value)}
    </span>
  );
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : String(value);
}

function summary(value: object, size: number): string {
  if (Array.isArray(value)) return size ? `[${size}]` : "[]";
  return size ? "" : "{}";
}

/** A path as mappings read it: names that are no words are quoted. */
function below(path: string, key: string, list: boolean): string {
  if (list) return `${path}[${key}]`;
  return /^[A-Za-z_][\w-]*$/.test(key) ? `${path}.${key}` : `${path}['${key.replace(/'/g, "\\'")}']`;
}

function includes(value: unknown, search: string): boolean {
  if (value === null || typeof value !== "object") return shown(value).toLowerCase().includes(search);
  return Object.entries(value).some(([key, each]) =>
    key.toLowerCase().includes(search) || includes(each, search)
  );
}
