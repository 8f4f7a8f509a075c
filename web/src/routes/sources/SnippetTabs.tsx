/** How to send to a source, in its language and by curl; which of them stands in the address. */
import { SegmentedControl, Stack } from "@mantine/core";
import type { SourceView } from "~/api/generated.ts";
import { useAddress } from "~/parts/address.ts";
import { Snippet } from "~/parts/Copy.tsx";
import { snippets } from "./snippets.ts";

export function SnippetTabs({ source }: { source: SourceView }) {
  const [chosen, setChosen] = useAddress("snippet", "");
  const key = source.writeKeys[0];
  if (!key) {
    return <p className="dim">This source has no write key. Make one on its page, then send with it.</p>;
  }
  const found = snippets(source.metadata.slug, key, location.origin);
  const shown = found.find((each) => each.label === chosen) ?? found[0]!;
  return (
    <Stack gap={8} align="stretch">
      {found.length > 1 && (
        <SegmentedControl
          size="xs"
          style={{ alignSelf: "flex-start" }}
          aria-label="Language"
          value={shown.label}
          onChange={(value) => setChosen(value === found[0]!.label ? "" : value)}
          data={found.map((each) => each.label)}
        />
      )}
      {shown.install && <Snippet code={shown.install} label="Copy command" />}
      <Snippet code={shown.code} label="Copy code" />
      {shown.then && <span className="dim small">{shown.then}</span>}
    </Stack>
  );
}
