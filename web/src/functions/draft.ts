/** What is being written of a function, until it is saved. */
import type { FunctionSetting, FunctionView, UpdateFunction } from "~/api/generated.ts";

export interface Draft {
  code: string;
  settings: FunctionSetting[];
  displayName: string;
  description: string;
  batchMaxCount: number;
  monthlyHours: number | null;
}

export function draftOf(view: FunctionView): Draft {
  return {
    code: view.code,
    settings: view.settings,
    displayName: view.displayName,
    description: view.description ?? "",
    batchMaxCount: view.batchMaxCount,
    monthlyHours: view.monthlyHours,
  };
}

/** What has to be sent to make `before` into `after`. */
export function changesOf(before: Draft, after: Draft): UpdateFunction {
  const changed = Object.entries(after).filter(([name, value]) =>
    JSON.stringify(value) !== JSON.stringify(before[name as keyof Draft])
  );
  return Object.fromEntries(changed);
}
