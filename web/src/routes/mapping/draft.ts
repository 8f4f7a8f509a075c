/** What is edited and not saved yet. */
import { useState } from "react";
import type { SubscriptionView } from "~/api/generated.ts";
import type { Mapping } from "./Fields.tsx";
import { type Json, same } from "./values.ts";

export interface Draft {
  name: string;
  trigger: string;
  settings: Mapping;
}

export function useDraft(saved: SubscriptionView) {
  const begun: Draft = { name: saved.name, trigger: saved.trigger, settings: saved.settings };
  const [draft, setDraft] = useState(begun);
  return {
    draft,
    change: (changes: Partial<Draft>) => setDraft((before) => ({ ...before, ...changes })),
    /** One setting, whatever has become of the others meanwhile. */
    set: (name: string, value: Json) =>
      setDraft((before) => ({ ...before, settings: { ...before.settings, [name]: value } })),
    dirty: !same(draft, begun),
    discard: () => setDraft(begun),
  };
}
