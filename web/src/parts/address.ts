/**
 * What a page shows is in its address: `const [search, setSearch] = useAddress("search", "")`.
 * The default is left out of it. Changes replace the entry in the history, so that Back leaves the page.
 */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export function useAddress<T extends string = string>(
  name: string,
  otherwise: NoInfer<T>,
): [T, (value: T) => void] {
  const search = useSearch({ strict: false }) as Record<string, string>;
  const navigate = useNavigate();
  const set = useCallback((value: T) => {
    navigate({
      to: ".",
      search: ((before: Record<string, string>) => {
        const { [name]: _, ...rest } = before;
        return value === otherwise ? rest : { ...rest, [name]: value };
      }) as never,
      replace: true,
      resetScroll: false,
    });
  }, [navigate, name, otherwise]);
  return [(search[name] as T | undefined) ?? otherwise, set];
}

/** Search parameters are plain strings, as one would type them. */
export function parse(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringify(search: Record<string, unknown>): string {
  const pairs = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}
