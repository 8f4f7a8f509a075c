/** Chooses the event that is tried: real ones one by one, made-up ones, or one's own. */
import { ActionIcon, Button, Group, Select } from "@mantine/core";
import { IconChevronLeft, IconChevronRight, IconPencil } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { ago } from "~/parts/format.ts";
import { useNow } from "~/parts/now.ts";
import { nameOf, whoOf } from "../sources/events.ts";
import { type ChosenEvent, TYPES } from "./event.ts";

const JsonEditor = lazy(() => import("~/parts/JsonEditor.tsx"));

export function EventPicker({ chosen }: { chosen: ChosenEvent }) {
  const now = useNow();
  const { lines, key, event, text } = chosen;
  const at = lines.findIndex((each) => each.messageId === key);
  const step = (by: number) => chosen.choose(lines[at + by]!.messageId!);
  const known = at >= 0 || key.startsWith("sample:");
  return (
    <Group gap={4} wrap="nowrap">
      <ActionIcon aria-label="Newer event" disabled={at <= 0} onClick={() => step(-1)} size={32}>
        <IconChevronLeft size={16} />
      </ActionIcon>
      <Select
        aria-label="Event to try it on"
        style={{ flex: 1, minWidth: 0 }}
        searchable
        placeholder={text === undefined ? "An event" : "Your own event"}
        value={text === undefined ? key : null}
        onChange={(value) => value && chosen.choose(value)}
        nothingFoundMessage="No event matches"
        maxDropdownHeight={360}
        data={[
          ...(lines.length || !known
            ? [{
              group: "Latest of this source",
              items: [
                ...(!known && text === undefined && key
                  ? [{ value: key, label: event ? String(event.event ?? event.type) : key }]
                  : []),
                ...lines.map((each) => ({
                  value: each.messageId!,
                  label: [nameOf(each), whoOf(each), ago(Date.parse(each.receivedAt), now)].filter(Boolean)
                    .join(" · "),
                })),
              ],
            }]
            : []),
          {
            group: "Made up",
            items: TYPES.map((each) => ({ value: `sample:${each}`, label: `A made-up ${each} event` })),
          },
        ]}
      />
      <ActionIcon
        aria-label="Older event"
        disabled={at < 0 || at >= lines.length - 1}
        onClick={() => step(1)}
        size={32}
      >
        <IconChevronRight size={16} />
      </ActionIcon>
      {text === undefined
        ? (
          <ActionIcon
            aria-label="Edit this event"
            title="Edit this event"
            size={32}
            disabled={!event}
            onClick={() => chosen.write(JSON.stringify(event, null, 2))}
          >
            <IconPencil size={16} />
          </ActionIcon>
        )
        : <Button variant="subtle" onClick={() => chosen.write(undefined)}>Put back</Button>}
    </Group>
  );
}

/** Where one types an event of one's own. */
export function OwnEvent({ chosen }: { chosen: ChosenEvent }) {
  if (chosen.text === undefined) return null;
  return (
    <Suspense fallback={null}>
      <JsonEditor label="Your own event" value={chosen.text} onChange={chosen.write} height={280} />
      <ErrorNote error={chosen.problem} />
    </Suspense>
  );
}
