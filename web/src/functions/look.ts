/** How CodeMirror looks: the app's own colours, in light and dark alike. */
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--accent)" },
  { tag: [tags.string, tags.regexp, tags.special(tags.string)], color: "var(--delivered)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--pending)" },
  { tag: [tags.comment], color: "var(--mantine-color-dimmed)", fontStyle: "italic" },
  {
    tag: [tags.function(tags.definition(tags.variableName)), tags.className, tags.typeName],
    color: "var(--retrying)",
  },
  { tag: [tags.propertyName], color: "var(--mantine-color-text)" },
  { tag: [tags.invalid], color: "var(--discarded)" },
]);

const theme = EditorView.theme({
  "&": { fontSize: "13px", background: "var(--surface)", color: "var(--mantine-color-text)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": {
    fontFamily: "var(--mantine-font-family-monospace)",
    lineHeight: "20px",
    overflow: "auto",
    fontVariantLigatures: "none",
  },
  ".cm-gutters": {
    background: "var(--surface)",
    color: "var(--mantine-color-dimmed)",
    border: "none",
  },
  ".cm-activeLine, .cm-activeLineGutter": { background: "color-mix(in srgb, var(--hover) 60%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--mantine-color-text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 25%, transparent) !important",
  },
  ".cm-matchingBracket": { background: "var(--accent-soft) !important", outline: "1px solid var(--accent)" },
  ".cm-foldPlaceholder": { background: "var(--hover)", border: "none", color: "var(--mantine-color-dimmed)" },
  ".cm-tooltip": {
    background: "var(--surface)",
    color: "var(--mantine-color-text)",
    border: "1px solid var(--line)",
    borderRadius: "8px",
    boxShadow: "var(--shadow)",
    overflow: "hidden",
  },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--mantine-font-family-monospace)", fontSize: "12.5px" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "3px 8px !important" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    background: "var(--accent-soft) !important",
    color: "var(--mantine-color-text) !important",
  },
  ".cm-completionDetail": { color: "var(--mantine-color-dimmed)", fontStyle: "normal" },
  ".cm-panels": {
    background: "var(--sunken)",
    color: "var(--mantine-color-text)",
    borderColor: "var(--line)",
  },
  ".cm-failed": { background: "var(--discarded-soft)" },
  ".cm-changedLine": { background: "var(--delivered-soft) !important" },
  ".cm-deletedChunk": { background: "var(--discarded-soft) !important", paddingLeft: "6px" },
  ".cm-changedText": { background: "color-mix(in srgb, var(--delivered) 25%, transparent) !important" },
  ".cm-deletedChunk .cm-deletedText": {
    background: "color-mix(in srgb, var(--discarded) 25%, transparent) !important",
  },
  ".cm-collapsedLines": {
    background: "var(--sunken) !important",
    color: "var(--mantine-color-dimmed)",
  },
});

export const look = [theme, syntaxHighlighting(colours)];
