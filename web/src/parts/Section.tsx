/** A part of a page under its own title. */
import type { ReactNode } from "react";

export function Section(
  { title, note, actions, children }: {
    title: string;
    note?: ReactNode;
    actions?: ReactNode;
    children: ReactNode;
  },
) {
  return (
    <section aria-label={title} style={{ marginBottom: 32 }}>
      <div
        style={{
          display: "flex",
          alignItems: "center",
          justifyContent: "space-between",
          gap: 16,
          minHeight: 32,
        }}
      >
        <h2 style={{ fontSize: 14, lineHeight: "20px", fontWeight: 600, margin: 0 }}>{title}</h2>
        {actions}
      </div>
      {note && <p className="dim" style={{ margin: "0 0 4px", maxWidth: 640 }}>{note}</p>}
      <div style={{ marginTop: 8 }}>{children}</div>
    </section>
  );
}
