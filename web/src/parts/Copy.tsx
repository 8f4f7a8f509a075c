/** Something to copy: a button beside it says so, and that it was done. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useCopy } from "./clipboard.ts";
import css from "./Copy.module.css";

export function CopyButton({ value, label = "Copy" }: { value: string; label?: string }) {
  const { copied, copy } = useCopy();
  return (
    <Tooltip label={copied ? "Copied" : label}>
      <ActionIcon
        size={24}
        aria-label={label}
        onClick={(event) => {
          event.stopPropagation();
          copy(value);
        }}
      >
        {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
      </ActionIcon>
    </Tooltip>
  );
}

/** An id or key in one line, with its button. */
export function Copy({ value, label }: { value: string; label?: string }) {
  return (
    <span className={css.copy}>
      <code className="cut">{value}</code>
      <CopyButton value={value} label={label} />
    </span>
  );
}

/** Lines of code or a command, with the button in their corner. */
export function Snippet({ code, label = "Copy" }: { code: string; label?: string }) {
  return (
    <div className={css.snippet}>
      <pre tabIndex={0}>{code}</pre>
      <div className={css.corner}>
        <CopyButton value={code} label={label} />
      </div>
    </div>
  );
}
