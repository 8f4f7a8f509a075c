/** Which version of a function runs somewhere, and whether a later one was deployed elsewhere. */
import type { RunningVersion } from "~/api/generated.ts";
import { StateChip } from "~/parts/StateChip.tsx";

export function Running({ version }: { version: RunningVersion }) {
  return (
    <>
      <span className="num">v{version.number}</span>{" "}
      {version.behind && (
        <StateChip state="retrying" title="A later version was deployed, and not to this instance">
          Behind
        </StateChip>
      )}
    </>
  );
}
