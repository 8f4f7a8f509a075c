/** The catalogue as it is looked through: what is searched for, in the address, and what the server finds. */
import { useDebouncedValue } from "@mantine/hooks";
import { useApi } from "~/api/hooks.ts";
import { useAddress } from "~/parts/address.ts";

export const METHODS = ["track", "page", "screen", "identify", "group", "alias"];

export function useCatalogue() {
  const [search, setSearch] = useAddress("search", "");
  const [category, setCategory] = useAddress("category", "");
  const [method, setMethod] = useAddress("method", "");
  const [mode, setMode] = useAddress("mode", "");
  const [source, setSource] = useAddress("from", "");
  const [wanted] = useDebouncedValue(search, 150);
  const query = { search: wanted, category, method, mode, source };
  const { data, error, refetch } = useApi("getDestinationsCatalogCharts", { query });
  return {
    charts: data,
    error,
    refetch,
    search,
    setSearch,
    category,
    setCategory,
    method,
    setMethod,
    mode,
    setMode,
    source,
    setSource,
    narrowed: !!(search || category || method || mode || source),
  };
}

export type Catalogue = ReturnType<typeof useCatalogue>;
