/** What runs here: version, processes, stores, sizes and retention. */
import type { ReactNode } from "react";
import { useApi } from "~/api/hooks.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { bytes, count } from "~/parts/format.ts";
import { Section } from "~/parts/Section.tsx";
import css from "./Installation.module.css";

export default function Installation() {
  const { data, error, refetch } = useApi("getInstallation", {}, { every: 10_000 });
  const it = data?.installation;
  if (!it) return <ErrorNote error={error} retry={refetch} />;
  const hours = (value: number) => value >= 48 ? `${count(value / 24)} days` : `${count(value)} hours`;
  return (
    <>
      <Section title="This server">
        <Facts>
          <Fact name="Version">{it.version}</Fact>
          <Fact name="Delivery processes">{it.workers}</Fact>
          <Fact name="API requests a minute, per caller">{count(it.apiRequestsPerMinute)}</Fact>
          <Fact name="Deduplication">
            {hours(it.retention.dedupeHours)}, per {it.dedupeScope}
          </Fact>
        </Facts>
      </Section>
      <Section title="Disk">
        <Facts>
          <Fact name="Free">{bytes(it.sizes.free)}</Fact>
          <Fact name="Reserve" note="Below it, SDKs are told to wait.">{bytes(it.sizes.reserve)}</Fact>
          <Fact name="Event log">{bytes(it.sizes.eventLog)}</Fact>
          <Fact name="State of delivery">{bytes(it.sizes.state)}</Fact>
          <Fact name="Deduplication">{bytes(it.sizes.dedupe)}</Fact>
          <Fact name="Front door">{bytes(it.sizes.ingest)}</Fact>
          <Fact name="Configuration">{bytes(it.sizes.configuration)}</Fact>
        </Facts>
      </Section>
      <Section title="Kept for">
        <Facts>
          <Fact name="Events">
            {hours(it.retention.logHours)}
            {it.retention.logBytes !== null && `, or ${bytes(it.retention.logBytes)}`}
          </Fact>
          <Fact name="Discards">{hours(it.retention.discardHours)}</Fact>
        </Facts>
      </Section>
      <Section title="Stores">
        <Facts>
          <Fact name="Event log">{it.stores.eventLog}</Fact>
          <Fact name="Configuration">{it.stores.configuration}</Fact>
          <Fact name="State of delivery">{it.stores.state}</Fact>
          <Fact name="Deduplication">{it.stores.dedupe}</Fact>
        </Facts>
      </Section>
      <Section title="Catalogue">
        <Facts>
          <Fact name="Destinations">{count(it.catalogue.destinations)}</Fact>
          <Fact name="Written for Onward">{count(it.catalogue.native)}</Fact>
          <Fact name="Segment's open-source">{count(it.catalogue.openSource)}</Fact>
          <Fact
            name="JavaScript"
            note={it.catalogue.javascript
              ? undefined
              : "Segment's open-source destinations can't run: see onward catalog update."}
          >
            {it.catalogue.javascript ? "installed" : "not installed"}
          </Fact>
        </Facts>
      </Section>
    </>
  );
}

function Facts({ children }: { children: ReactNode }) {
  return <dl className={`panel ${css.facts}`}>{children}</dl>;
}

function Fact({ name, note, children }: { name: string; note?: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="num">
        {children}
        {note && <div className="dim small">{note}</div>}
      </dd>
    </div>
  );
}
