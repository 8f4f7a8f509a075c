/** What one can narrow the catalogue down by, each with how many are left. */
import { Select, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type Catalogue, METHODS } from "./catalogue.ts";
import css from "./Catalogue.module.css";

export function Facets({ catalogue, autoFocus }: { catalogue: Catalogue; autoFocus?: boolean }) {
  const facets = catalogue.charts?.facets;
  const counted = (facet: string, value: string, label = value) => {
    const found = facets?.[facet]?.[value];
    return { value, label: found === undefined ? label : `${label} (${found})` };
  };
  const categories = [
    ...new Set([...Object.keys(facets?.category ?? {}), ...(catalogue.category ? [catalogue.category] : [])]),
  ];
  return (
    <div className={css.facets}>
      <TextInput
        placeholder="Find a destination"
        aria-label="Find a destination"
        leftSection={<IconSearch size={16} />}
        value={catalogue.search}
        autoFocus={autoFocus}
        onChange={(event) => catalogue.setSearch(event.currentTarget.value)}
        className={css.search}
      />
      <Select
        aria-label="Category"
        searchable
        value={catalogue.category}
        onChange={(value) => catalogue.setCategory(value ?? "")}
        data={[
          { value: "", label: "All categories" },
          ...categories.map((each) => counted("category", each)),
        ]}
      />
      <Select
        aria-label="Method"
        value={catalogue.method}
        onChange={(value) => catalogue.setMethod(value ?? "")}
        data={[{ value: "", label: "All methods" }, ...METHODS.map((each) => counted("method", each))]}
      />
      <Select
        aria-label="Connection mode"
        value={catalogue.mode}
        onChange={(value) => catalogue.setMode(value ?? "")}
        data={[
          { value: "", label: "All modes" },
          counted("mode", "cloud", "Cloud"),
          counted("mode", "device", "Device"),
        ]}
      />
      <Select
        aria-label="From sources of the kind"
        value={catalogue.source}
        onChange={(value) => catalogue.setSource(value ?? "")}
        data={[
          { value: "", label: "From anywhere" },
          counted("source", "web", "From the web"),
          counted("source", "mobile", "From mobile apps"),
          counted("source", "server", "From servers"),
          counted("source", "warehouse", "From warehouses"),
        ]}
      />
    </div>
  );
}
