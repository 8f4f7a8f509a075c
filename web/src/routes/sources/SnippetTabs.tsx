/** How to send to a source, in its language and by curl. */
import { SegmentedControl } from "@mantine/core";
import { useState } from "react";
import type { SourceView } from "~/api/generated.ts";
import { Snippet } from "~/parts/Copy.tsx";
import { snippets } from "./snippets.ts";

export function SnippetTabs({ source }: { source: SourceView }) {
  const [chosen, setChosen] = useState(0);
  const key = source.writeKeys[0];
  if (!key) {
    return <p className="dim">This source has no write key. Make one below, then send with it.</p>;
  }
  const found = snippets(source.metadata.slug, key, location.origin);
  const shown = found[chosen] ?? found[0]!;
  return (
    <div>
      {found.length > 1 && (
        <SegmentedControl
          size="xs"
          mb={8}
          aria-label="Language"
          value={String(chosen)}
          onChange={(value) => setChosen(Number(value))}
          data={found.map((each, at) => ({ value: String(at), label: each.label }))}
        />
      )}
      <Snippet code={shown.code} label="Copy code" />
    </div>
  );
}
