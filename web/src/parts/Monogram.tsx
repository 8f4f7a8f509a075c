/** Stands for a tool's logo: its first letters on a colour that follows from its name. */
import css from "./Monogram.module.css";

export function Monogram({ name, size = 24 }: { name: string; size?: number }) {
  const letters = lettersOf(name);
  let hash = 0;
  for (const each of name) hash = (hash * 31 + each.codePointAt(0)!) % 360;
  return (
    <span
      aria-hidden
      className={css.monogram}
      style={{ width: size, height: size, fontSize: size * 0.42, "--hue": hash } as React.CSSProperties}
    >
      {letters}
    </span>
  );
}

/** Of what distinguishes it: "Actions" is in the name of half the catalogue. */
function lettersOf(name: string): string {
  const bare = name.replace(/\(.*?\)/g, " ").replace(/[^\p{L}\p{N} ]/gu, " ");
  const words = (bare.replace(/^\s*Actions\b/, " ").trim() || name).split(/\s+/);
  return (words.length > 1 ? words[0]![0]! + words[1]![0]! : words[0]!.slice(0, 2)).toUpperCase();
}
