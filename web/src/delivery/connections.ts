/** Sources and destinations by their names, and which of them a page is about: `source`, `destination` in the address. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useApi } from "~/api/hooks.ts";

export function useConnections() {
  const { data, error, refetch } = useApi("getConnections", {}, { every: 10_000 });
  const sources = data?.connections.sources;
  const destinations = data?.connections.destinations ?? [];
  return {
    sources,
    destinations,
    error,
    refetch,
    sourceName: (id: string) => {
      const found = sources?.find((each) => each.id === id);
      return found ? found.name || found.slug : id;
    },
    destinationName: (id: string) => {
      const found = destinations.find((each) => each.id === id);
      return found ? found.name || found.kindName : id;
    },
  };
}

/** Several parameters of the address changed at once; undefined leaves one out. */
export function useGo(): (changes: Record<string, string | undefined>) => void {
  const navigate = useNavigate();
  return (changes) =>
    void navigate({
      to: ".",
      search: ((before: Record<string, string>) => ({ ...before, ...changes })) as never,
      replace: true,
      resetScroll: false,
    });
}

export function useParameters(): Record<string, string> {
  return useSearch({ strict: false }) as Record<string, string>;
}
