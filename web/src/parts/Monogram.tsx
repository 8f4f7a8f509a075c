/** Stands for a tool's logo: its first letters on a colour that follows from its name. */
import css from "./Monogram.module.css";

export function Monogram({ name, size = 24 }: { name: string; size?: number }) {
  const words = name.replace(/[^\p{L}\p{N} ]/gu, " ").trim().split(/\s+/);
  const letters = (words.length > 1 ? words[0]![0]! + words[1]![0]! : name.slice(0, 2)).toUpperCase();
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
