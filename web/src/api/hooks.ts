/** The API in components: `useApi` reads one answer, `useAll` a whole list, `useChange` changes something. */
import {
  infiniteQueryOptions,
  keepPreviousData,
  QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { type Answer, ApiError, call, type Maybe, type Operation, type Request } from "./client.ts";
import type { Pagination } from "./generated.ts";

export const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => !(error instanceof ApiError) && count < 3,
      retryDelay: (count) => Math.min(1000 * 2 ** count, 5000),
    },
  },
});

export interface Reading {
  /** Milliseconds until it is asked again; false for never. */
  every?: number | false;
  enabled?: boolean;
}

/** One answer: `const { data, error } = useApi("getSource", { path: { sourceId } })`. */
export function useApi<K extends Operation>(
  operation: K,
  request: Request<K>,
  { every = false, enabled = true }: Reading = {},
) {
  return useQuery({
    queryKey: [operation, request],
    queryFn: () => call(operation, ...([request] as unknown as Maybe<Request<K>>)),
    refetchInterval: every,
    enabled,
    placeholderData: keepPreviousData,
  });
}

type Listing = { [K in Operation]: Answer<K> extends { pagination: Pagination } ? K : never }[Operation];
type Listed<K extends Listing> = Exclude<Answer<K>[Exclude<keyof Answer<K>, "pagination">], Pagination>;
type Item<K extends Listing> = Listed<K> extends (infer T)[] ? T : never;

/** A whole list, page by page: `const { items } = useAll("listSources", {})`; undefined until it has come. */
export function useAll<K extends Listing>(
  operation: K,
  request: Request<K>,
  { every = false, enabled = true }: Reading = {},
) {
  const query = useQuery({
    queryKey: [operation, "all", request],
    queryFn: () => all(operation, request),
    refetchInterval: every,
    enabled,
  });
  return { ...query, items: query.data };
}

export async function all<K extends Listing>(operation: K, request: Request<K>): Promise<Item<K>[]> {
  const found: Item<K>[] = [];
  let cursor: string | undefined;
  do {
    const answer = await page(operation, request, cursor, 1000);
    found.push(...answer.items);
    cursor = answer.next ?? undefined;
  } while (cursor);
  return found;
}

/** A long list, page after page as one scrolls: `items`, `fetchNextPage`, `hasNextPage`. */
export function usePages<K extends Listing>(
  operation: K,
  request: Request<K>,
  { every = false, enabled = true }: Reading = {},
) {
  const query = useInfiniteQuery({
    ...infiniteQueryOptions({
      queryKey: [operation, "pages", request],
      queryFn: ({ pageParam }) => page(operation, request, pageParam, 100),
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (last) => last.next ?? undefined,
    }),
    refetchInterval: every,
    enabled,
  });
  return { ...query, items: query.data?.pages.flatMap((each) => each.items) };
}

async function page<K extends Listing>(
  operation: K,
  request: Request<K>,
  cursor: string | undefined,
  count: number,
) {
  const { query } = request as { query?: object };
  const asked = { ...(request as object), query: { ...query, pagination: { count, cursor } } };
  const answer = await call(operation, ...([asked] as unknown as Maybe<Request<K>>));
  const { pagination, ...rest } = answer as { pagination: Pagination };
  return {
    items: Object.values(rest)[0] as Item<K>[],
    next: pagination.next,
    total: pagination.totalEntries,
  };
}

/**
 * A change: `const save = useChange("updateSource", ["getSource", "listSources"])`, then
 * `save.mutate({ path, body })`. What is read by the operations named is asked again when it is done.
 */
export function useChange<K extends Operation>(operation: K, renews: Operation[] = []) {
  const queries = useQueryClient();
  return useMutation<Answer<K>, Error, Request<K>>({
    mutationFn: (request) => call(operation, ...([request] as unknown as Maybe<Request<K>>)),
    onSuccess: async () => {
      await Promise.all(renews.map((each) => queries.invalidateQueries({ queryKey: [each] })));
    },
  });
}
