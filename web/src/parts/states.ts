/** The five states of an event on its way, the same in every chip, chart and row: colour, icon, word. */
import {
  IconArrowBackUp,
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconFilter,
  type TablerIcon,
} from "@tabler/icons-react";

export type State = "delivered" | "retrying" | "discarded" | "filtered" | "pending";

interface Look {
  word: string;
  icon: TablerIcon;
  /** Of text and icons. */
  colour: string;
  /** Behind them. */
  soft: string;
  /** Of the areas of plots. */
  fill: string;
}

export const STATES: Record<State, Look> = {
  delivered: of("Delivered", IconCircleCheck, "delivered"),
  retrying: of("Retrying", IconArrowBackUp, "retrying"),
  discarded: of("Discarded", IconCircleX, "discarded"),
  filtered: of("Filtered", IconFilter, "filtered"),
  pending: of("Pending", IconClock, "pending"),
};

function of(word: string, icon: TablerIcon, name: State) {
  return { word, icon, colour: `var(--${name})`, soft: `var(--${name}-soft)`, fill: `var(--${name}-fill)` };
}
