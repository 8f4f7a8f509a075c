/**
 * Code or JSON to write, by CodeMirror: loaded by those who show it, `lazy(() => import("…/CodeEditor.tsx"))`.
 * Tab indents; Escape and then Tab leaves the field.
 */
import { autocompletion, type CompletionSource } from "@codemirror/autocomplete";
import { indentWithTab } from "@codemirror/commands";
import { javascript, javascriptLanguage } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, keymap } from "@codemirror/view";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import { look } from "./look.ts";

export interface CodeEditorProps {
  value: string;
  onChange?: (value: string) => void;
  language: "javascript" | "typescript" | "json";
  label: string;
  /** Marked as where it failed, from 1. */
  failedLine?: number;
  complete?: CompletionSource;
  /** Ctrl or ⌘ with these. */
  onSave?: () => void;
  onRun?: () => void;
  readOnly?: boolean;
}

/** Marks a line as the one where it failed, from 1; undefined for none. */
const mark = StateEffect.define<number | undefined>();

/** The mark, which moves with its line as the text is changed. */
const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, { changes, effects, state }) =>
    effects.reduce(
      (now, effect) => effect.is(mark) ? markOf(state, effect.value) : now,
      marks.map(changes),
    ),
  provide: (field) => EditorView.decorations.from(field),
});

function markOf({ doc }: EditorState, line: number | undefined): DecorationSet {
  if (!line || line > doc.lines) return Decoration.none;
  return Decoration.set(Decoration.line({ class: "cm-failed" }).range(doc.line(line).from));
}

export default function CodeEditor(props: CodeEditorProps) {
  const { value, language, label, failedLine, readOnly } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(props);
  latest.current = props;
  useEffect(() => {
    const says = (name: "onSave" | "onRun") => () => {
      latest.current[name]?.();
      return latest.current[name] !== undefined;
    };
    const editor = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          keymap.of([{ key: "Mod-s", run: says("onSave"), preventDefault: true }, {
            key: "Mod-Enter",
            run: says("onRun"),
          }]),
          basicSetup,
          keymap.of([indentWithTab]),
          language === "json" ? json() : [
            javascript({ typescript: language === "typescript" }),
            javascriptLanguage.data.of({
              autocomplete: (context: never) => latest.current.complete?.(context) ?? null,
            }),
          ],
          autocompletion(),
          look,
          marked,
          EditorState.readOnly.of(!!readOnly),
          EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [language, label, readOnly]);
  useEffect(() => {
    const editor = view.current!;
    const text = editor.state.doc.toString();
    if (text !== value) editor.dispatch({ changes: { from: 0, to: text.length, insert: value } });
  }, [value]);
  useEffect(() => {
    const editor = view.current!;
    const { doc } = editor.state;
    editor.dispatch({ effects: mark.of(failedLine) });
    if (failedLine && failedLine <= doc.lines) {
      editor.dispatch({ effects: EditorView.scrollIntoView(doc.line(failedLine).from, { y: "center" }) });
    }
  }, [failedLine]);
  return <div ref={host} style={{ height: "100%", minWidth: 0 }} className="code-editor" />;
}
