/** An empty page teaches: what would be here, and the one next step. */
import type { ReactNode } from "react";
import type { TablerIcon } from "@tabler/icons-react";

export function EmptyState(
  { icon: Icon, title, children, action }: {
    icon?: TablerIcon;
    title: string;
    children?: ReactNode;
    action?: ReactNode;
  },
) {
  return (
    <div style={{ maxWidth: 480, margin: "0 auto", padding: "64px 16px", textAlign: "center" }}>
      {Icon && <Icon size={32} stroke={1.25} color="var(--mantine-color-dimmed)" aria-hidden />}
      <h2 style={{ fontSize: 16, lineHeight: "24px", margin: "8px 0 4px" }}>{title}</h2>
      {children && <div className="dim">{children}</div>}
      {action && <div style={{ marginTop: 16, display: "flex", justifyContent: "center" }}>{action}</div>}
    </div>
  );
}
