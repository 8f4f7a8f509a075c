/** Something to copy: a button beside it says so, and that it was done. */
import { ActionIcon, Tooltip } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import css from "./Copy.module.css";

export function CopyButton({ value, label = "Copy" }: { value: string; label?: string }) {
  const clipboard = useClipboard({ timeout: 1500 });
  return (
    <Tooltip label={clipboard.copied ? "Copied" : label}>
      <ActionIcon
        size={24}
        aria-label={label}
        onClick={(event) => {
          event.stopPropagation();
          clipboard.copy(value);
        }}
      >
        {clipboard.copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
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
