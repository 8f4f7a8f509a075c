/** JSON to write, with what is wrong marked as one types. Large: load it with `lazy` where it is used. */
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { linter } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { tags } from "@lezer/highlight";
import { basicSetup, EditorView } from "codemirror";
import { useEffect, useRef } from "react";

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--delivered)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--pending)" },
]);

const look = EditorView.theme({
  "&": { fontSize: "12.5px", background: "var(--surface)", color: "inherit" },
  ".cm-content": { fontFamily: "var(--mantine-font-family-monospace)", caretColor: "var(--accent)" },
  ".cm-gutters": {
    background: "var(--surface)",
    color: "var(--mantine-color-dimmed)",
    border: "0",
    fontFamily: "var(--mantine-font-family-monospace)",
  },
  ".cm-activeLine, .cm-activeLineGutter": { background: "var(--hover)" },
  ".cm-cursor": { borderLeftColor: "var(--accent)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--accent-soft) !important",
  },
  ".cm-tooltip": { background: "var(--surface)", border: "1px solid var(--line)", borderRadius: "8px" },
});

export default function JsonEditor(
  { value, onChange, label, height = 320, disabled }: {
    value: string;
    onChange: (value: string) => void;
    label: string;
    height?: number;
    disabled?: boolean;
  },
) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const changed = useRef(onChange);
  changed.current = onChange;
  useEffect(() => {
    view.current = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: value,
        extensions: [
          basicSetup,
          json(),
          linter(jsonParseLinter(), { delay: 300 }),
          syntaxHighlighting(colours),
          look,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label }),
          EditorState.readOnly.of(!!disabled),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed.current(update.state.doc.toString());
          }),
        ],
      }),
    });
    return () => view.current?.destroy();
  }, [label, disabled]);
  useEffect(() => {
    const shown = view.current?.state.doc.toString();
    if (view.current && shown !== value) {
      view.current.dispatch({ changes: { from: 0, to: view.current.state.doc.length, insert: value } });
    }
  }, [value]);
  return (
    <div
      ref={place}
      className="panel"
      style={{ overflow: "auto", height, minHeight: 120, resize: "vertical" }}
    />
  );
}
