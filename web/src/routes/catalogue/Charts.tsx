/** The three comparisons: by methods, by connection modes, and by category. */
import { IconCheck } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { Link } from "@tanstack/react-router";
import type { ChartsAnswer, MethodsOf, ModesOf } from "~/api/generated.ts";
import { type Column, DataTable } from "~/parts/DataTable.tsx";
import { Monogram } from "~/parts/Monogram.tsx";
import { Section } from "~/parts/Section.tsx";
import css from "./Catalogue.module.css";
import { METHODS } from "./catalogue.ts";

const MODES: [string, string, string, string][] = [
  ["cloud", "web", "Cloud: web", "C web"],
  ["cloud", "mobile", "Cloud: mobile", "C mob"],
  ["cloud", "server", "Cloud: server", "C srv"],
  ["device", "web", "Device: web", "D web"],
  ["device", "mobile", "Device: mobile", "D mob"],
];

export function MethodsChart({ charts }: { charts: ChartsAnswer }) {
  return (
    <Chart
      label="Methods"
      rows={charts.methods}
      ticks={METHODS.map((each) => ({
        key: each,
        head: each.charAt(0).toUpperCase() + each.slice(1),
        has: (row: MethodsOf) => !!row.methods[each],
      }))}
    />
  );
}

export function ModesChart({ rows, label }: { rows: ModesOf[]; label: string }) {
  return (
    <Chart
      label={label}
      rows={rows}
      ticks={MODES.map(([mode, device, head]) => ({
        key: head,
        head,
        has: (row: ModesOf) => !!row.connectionModes[mode]?.[device],
      }))}
    />
  );
}

/** Category by category, as lists: a table each would say the same modes again. */
export function CategoriesChart({ charts }: { charts: ChartsAnswer }) {
  return charts.categories.map(({ category, destinations }) => (
    <Section key={category} title={`${category} (${destinations.length})`}>
      <div style={{ overflowX: "auto" }} tabIndex={0}>
        <table className={css.modes}>
          <thead>
            <tr>
              <th scope="col">Destination</th>
              {MODES.map(([, , head]) => <th key={head} scope="col">{head}</th>)}
            </tr>
          </thead>
          <tbody>
            {destinations.map((each) => (
              <tr key={each.slug}>
                <th scope="row">
                  <Link to="/catalogue/$slug" params={{ slug: each.slug }}>{each.name}</Link>
                </th>
                {MODES.map(([mode, device, head]) => (
                  <td key={head}>
                    <Tick has={!!each.connectionModes[mode]?.[device]} of={head} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  ));
}

function Tick({ has, of }: { has: boolean; of: string }) {
  return has
    ? <IconCheck size={16} color="var(--delivered)" role="img" aria-label={of} className={css.tick} />
    : <span style={{ color: "var(--mantine-color-dimmed)" }} aria-label={`no ${of}`} role="img">–</span>;
}

function Chart<Row extends { slug: string; name: string }>({ rows, ticks, label }: {
  rows: Row[];
  ticks: { key: string; head: string; has: (row: Row) => boolean }[];
  label: string;
}) {
  const navigate = useNavigate();
  const columns: Column<Row>[] = [
    {
      key: "name",
      head: "Destination",
      width: "minmax(160px, 2fr)",
      cell: (each) => (
        <span style={{ display: "flex", alignItems: "center", gap: 12 }}>
          <Monogram name={each.name} />
          <span className="cut">{each.name}</span>
        </span>
      ),
    },
    ...ticks.map(({ key, head, has }) => ({
      key,
      head,
      width: "minmax(64px, 1fr)",
      cell: (row: Row) => <Tick has={has(row)} of={head} />,
    })),
  ];
  return (
    <div className={css.chart} tabIndex={0}>
      <DataTable
        label={label}
        columns={columns}
        rows={rows}
        rowKey={(each) => each.slug}
        onOpen={(each) => navigate({ to: `/catalogue/${each.slug}` })}
      />
    </div>
  );
}
