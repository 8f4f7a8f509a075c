/** Who is signed in, in which workspace, and what they may do there. */
import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { call, standAs } from "./client.ts";
import type { SessionView } from "./generated.ts";
import { client } from "./hooks.ts";

const KEPT = "onward-workspace";

export const session = queryOptions({
  queryKey: ["getSession"],
  queryFn: async () => begun((await call("getSession")).session),
  staleTime: 60_000,
});

/** Have a new session carry the requests from now on. */
export function begun(view: SessionView): SessionView {
  standAs({ csrf: view.csrf });
  return view;
}

/** Before anything is asked: the workspace that was chosen last. */
export function restore(): void {
  standAs({ workspace: localStorage.getItem(KEPT) ?? "" });
}

export function choose(workspace: string): void {
  localStorage.setItem(KEPT, workspace);
  standAs({ workspace });
  client.clear();
}

export function forget(): void {
  localStorage.removeItem(KEPT);
  standAs({ csrf: "", workspace: "" });
  client.clear();
}

export function useSession() {
  const view = useSuspenseQuery(session).data;
  const kept = localStorage.getItem(KEPT);
  const current = view.workspaces.find((each) => each.id === kept || each.slug === kept) ??
    view.workspaces[0];
  return { ...view, workspace: current, may: (permission: string) => view.permissions.includes(permission) };
}
