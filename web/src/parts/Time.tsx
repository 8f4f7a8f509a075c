/** How long ago, with the exact time on hover; a click copies it. `at`: ISO 8601 or milliseconds. */
import { Tooltip } from "@mantine/core";
import { useCopy } from "./clipboard.ts";
import { absolute, ago } from "./format.ts";
import { useNow } from "./now.ts";
import css from "./Time.module.css";

export function Time({ at }: { at: string | number }) {
  const now = useNow();
  const { copied, copy } = useCopy();
  const date = new Date(at);
  const exact = absolute(date.getTime());
  return (
    <Tooltip label={copied ? "Copied" : exact}>
      <time
        className={css.time}
        dateTime={date.toISOString()}
        onClick={(event) => {
          event.stopPropagation();
          copy(date.toISOString());
        }}
      >
        {ago(date.getTime(), now)}
      </time>
    </Tooltip>
  );
}
