/** Everything that can be connected: destinations with their comparisons, functions, and storage. */
import { Button, SegmentedControl } from "@mantine/core";
import { IconMoodEmpty } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useAddress } from "~/parts/address.ts";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { count } from "~/parts/format.ts";
import { PageHead } from "~/parts/PageHead.tsx";
import { Cards } from "./Cards.tsx";
import css from "./Catalogue.module.css";
import { useCatalogue } from "./catalogue.ts";
import { CategoriesChart, MethodsChart, ModesChart } from "./Charts.tsx";
import { Facets } from "./Facets.tsx";
import { Functions } from "./Functions.tsx";
import { Storage } from "./Storage.tsx";

type Tab = "destinations" | "functions" | "storage";
type View = "cards" | "methods" | "modes" | "categories";

export default function Page() {
  const [tab, setTab] = useAddress<Tab>("tab", "destinations");
  return (
    <>
      <PageHead title="Catalogue" />
      <div style={{ marginBottom: 16 }}>
        <SegmentedControl
          aria-label="Part of the catalogue"
          value={tab}
          onChange={(value) => setTab(value as Tab)}
          data={[
            { value: "destinations", label: "Destinations" },
            { value: "functions", label: "Functions" },
            { value: "storage", label: "Storage" },
          ]}
        />
      </div>
      {tab === "functions" ? <Functions /> : tab === "storage" ? <Storage /> : <Destinations />}
    </>
  );
}

function Destinations() {
  const catalogue = useCatalogue();
  const navigate = useNavigate();
  const [view, setView] = useAddress<View>("view", "cards");
  const { charts } = catalogue;
  return (
    <>
      <Facets catalogue={catalogue} />
      <div className={css.bar}>
        <span className="dim num">
          {charts &&
            `${count(charts.methods.length)} ${charts.methods.length === 1 ? "destination" : "destinations"}`}
        </span>
        <div style={{ overflowX: "auto" }}>
          <SegmentedControl
            size="xs"
            aria-label="How they are shown"
            value={view}
            onChange={(value) => setView(value as View)}
            data={[
              { value: "cards", label: "All" },
              { value: "methods", label: "Methods" },
              { value: "modes", label: "Connection modes" },
              { value: "categories", label: "Categories" },
            ]}
          />
        </div>
      </div>
      <ErrorNote error={catalogue.error} retry={catalogue.refetch} />
      {charts?.methods.length === 0 && (
        <EmptyState
          icon={IconMoodEmpty}
          title="No destination matches"
          action={catalogue.narrowed && (
            <Button
              variant="default"
              onClick={() => void navigate({ to: "/catalogue" })}
            >
              Show all
            </Button>
          )}
        >
          Whatever has an HTTP API can be reached with the Webhook, or with a function of your own.
        </EmptyState>
      )}
      {charts && charts.methods.length > 0 && (
        <>
          {view === "cards" && <Cards charts={charts} to={(slug) => ({ to: `/catalogue/${slug}` })} />}
          {view === "methods" && <MethodsChart charts={charts} />}
          {view === "modes" && <ModesChart rows={charts.connectionModes} label="Connection modes" />}
          {view === "categories" && <CategoriesChart charts={charts} />}
        </>
      )}
    </>
  );
}
