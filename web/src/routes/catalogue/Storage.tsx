/** Where events can be kept as they are: files, buckets and warehouses. */
import { useAll, useApi } from "~/api/hooks.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Monogram } from "~/parts/Monogram.tsx";
import { Section } from "~/parts/Section.tsx";
import { Cards } from "./Cards.tsx";
import css from "./Catalogue.module.css";

export function Storage() {
  const { data, error } = useApi("getDestinationsCatalogCharts", { query: { category: "Raw Data" } });
  const warehouses = useAll("getWarehousesCatalog", {});
  return (
    <>
      <ErrorNote error={error ?? warehouses.error} />
      {data && (
        <Section
          title="Streams, buckets and files"
          note="Every event as it is, to where you keep or process it yourself."
        >
          <Cards charts={data} to={(slug) => ({ to: `/catalogue/${slug}` })} />
        </Section>
      )}
      {warehouses.items && warehouses.items.length > 0 && (
        <Section
          title="Warehouses"
          note="A table for each event, loaded in batches. They are configured through the API for now; nothing is loaded into them yet."
        >
          <ul className={css.cards}>
            {warehouses.items.map((each) => (
              <li key={each.id} className={css.card}>
                <Monogram name={each.name} size={32} />
                <span className={css.about}>
                  <span className={css.name}>
                    <span className="cut">{each.name}</span>
                  </span>
                  <span className="dim small cut">{each.description || "Warehouse"}</span>
                </span>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}
