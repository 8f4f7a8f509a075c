/** The clipboard: `const { copied, copy } = useCopy()`; `copied` stays true for a moment. */
import { useEffect, useState } from "react";

const TOLD = 1500;

export function useCopy(): { copied: boolean; copy: (text: string) => void } {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const over = setTimeout(() => setCopied(false), TOLD);
    return () => clearTimeout(over);
  }, [copied]);
  return { copied, copy: (text) => void copy(text).then(setCopied) };
}

/**
 * Put a text on the clipboard; whether that was possible. Browsers offer the clipboard to pages that came
 * encrypted or from the same machine only; in others the text is selected and copied as a person would.
 */
export async function copy(text: string): Promise<boolean> {
  if (navigator.clipboard) return await navigator.clipboard.writeText(text).then(() => true, () => false);
  const field = document.createElement("textarea");
  field.value = text;
  field.style.cssText = "position: fixed; opacity: 0";
  const before = document.activeElement;
  // Within a dialog, which would take the focus back from outside of it.
  (before?.closest("[role=dialog]") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return done;
}
