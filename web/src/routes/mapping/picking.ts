/** What fields can choose from, and which of them takes what is picked in the event beside. */
import { createContext, useContext } from "react";
import type { Variable } from "./values.ts";

export interface Picking {
  variables: Variable[];
  /** Called by the field that one is in, with what a picked path does there. */
  aim: (take: (path: string) => void) => void;
  disabled: boolean;
}

export const PickingContext = createContext<Picking>({ variables: [], aim: () => {}, disabled: false });

export function usePicking(): Picking {
  return useContext(PickingContext);
}
