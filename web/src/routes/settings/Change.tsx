/** One entry of the audit trail: who, what, and how it was before and after. */
import type { AuditEventView } from "~/api/generated.ts";
import { Copy } from "~/parts/Copy.tsx";
import { JsonView } from "~/parts/JsonView.tsx";
import { Section } from "~/parts/Section.tsx";
import { Time } from "~/parts/Time.tsx";

export function Change({ event, who }: { event: AuditEventView; who: string }) {
  return (
    <>
      <p style={{ marginTop: 0 }}>
        <b>{who}</b>, <Time at={event.timestamp} />
      </p>
      <p>
        {event.resourceType} {event.resourceName}
        <br />
        <Copy value={event.resourceId} label="Copy id" />
      </p>
      {event.before && (
        <Section title="Before">
          <JsonView value={event.before} tools={false} />
        </Section>
      )}
      {event.after && (
        <Section title={event.before ? "After" : "Details"}>
          <JsonView value={event.after} tools={false} />
        </Section>
      )}
    </>
  );
}
