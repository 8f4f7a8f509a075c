/** The one control of the time window: in the address as `window=24h`, or `window=FROM~TO` in ISO 8601. */
import { Button, Group, Menu, Stack, TextInput } from "@mantine/core";
import { IconChevronDown, IconClock } from "@tabler/icons-react";
import { useState } from "react";
import { useAddress } from "./address.ts";
import { absolute } from "./format.ts";

const CHOICES: Record<string, { words: string; minutes: number }> = {
  "10m": { words: "Last 10 minutes", minutes: 10 },
  "1h": { words: "Last hour", minutes: 60 },
  "6h": { words: "Last 6 hours", minutes: 360 },
  "24h": { words: "Last 24 hours", minutes: 1440 },
  "7d": { words: "Last 7 days", minutes: 10_080 },
  "30d": { words: "Last 30 days", minutes: 43_200 },
};
const DEFAULT = "24h";

export interface Window {
  /** ISO 8601, anew on each call of a relative window. */
  range: () => { startTime: string; endTime: string };
  /** For keys of queries: changes only when another window is chosen. */
  key: string;
  minutes: number;
  words: string;
}

export function useWindow(otherwise = DEFAULT): Window {
  const [key] = useAddress("window", otherwise);
  return windowOf(key, otherwise);
}

export function windowOf(key: string, otherwise = DEFAULT): Window {
  const [from, to] = key.split("~").map((each) => new Date(each).getTime());
  if (from && to && from < to) {
    const range = { startTime: new Date(from).toISOString(), endTime: new Date(to).toISOString() };
    const words = `${absolute(from).slice(0, -4)} – ${absolute(to).slice(0, -4)}`;
    return { key, range: () => range, minutes: (to - from) / 60_000, words };
  }
  const { words, minutes } = (CHOICES[key] ?? CHOICES[otherwise])!;
  const range = () => {
    const now = Date.now();
    return {
      startTime: new Date(now - minutes * 60_000).toISOString(),
      endTime: new Date(now).toISOString(),
    };
  };
  return { key, range, minutes, words };
}

/** How fine a series of the window can be, as the API allows it. */
export function granularity(window: Window): "MINUTE" | "HOUR" | "DAY" {
  if (window.minutes <= 240) return "MINUTE";
  return window.minutes <= 7 * 1440 ? "HOUR" : "DAY";
}

export function WindowPicker({ otherwise = DEFAULT }: { otherwise?: string }) {
  const [key, setKey] = useAddress("window", otherwise);
  const { words } = windowOf(key, otherwise);
  return (
    <Menu position="bottom-end" closeOnItemClick>
      <Menu.Target>
        <Button
          variant="default"
          leftSection={<IconClock size={16} />}
          rightSection={<IconChevronDown size={14} />}
          aria-label={`Time window: ${words}`}
        >
          {words}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {Object.entries(CHOICES).map(([each, choice]) => (
          <Menu.Item
            key={each}
            onClick={() => setKey(each)}
            fw={each === key ? 600 : undefined}
          >
            {choice.words}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Between onSet={setKey} current={windowOf(key, otherwise)} />
      </Menu.Dropdown>
    </Menu>
  );
}

function Between({ onSet, current }: { onSet: (key: string) => void; current: Window }) {
  const { startTime, endTime } = current.range();
  const [from, setFrom] = useState(local(startTime));
  const [to, setTo] = useState(local(endTime));
  const wrong = !(new Date(from) < new Date(to));
  return (
    <Stack gap={8} p={8} w={232}>
      <TextInput
        label="From"
        type="datetime-local"
        value={from}
        onChange={(e) => setFrom(e.currentTarget.value)}
      />
      <TextInput
        label="To"
        type="datetime-local"
        value={to}
        error={wrong && "After the beginning"}
        onChange={(e) => setTo(e.currentTarget.value)}
      />
      <Group justify="flex-end">
        <Button
          disabled={wrong}
          onClick={() => onSet(`${new Date(from).toISOString()}~${new Date(to).toISOString()}`)}
        >
          Show
        </Button>
      </Group>
    </Stack>
  );
}

function local(iso: string): string {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
