/** What is left to do before a new destination sends anything: settings, a mapping, and the switch. */
import { Button } from "@mantine/core";
import { IconCircle, IconCircleCheck } from "@tabler/icons-react";
import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { DestinationView } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { useMappings } from "./destination.ts";
import css from "./SetUp.module.css";

export function SetUp({ destination }: { destination: DestinationView }) {
  const { may } = useSession();
  const navigate = useNavigate();
  const { items: mappings } = useMappings(destination.id);
  const enable = useChange("updateDestination", ["getDestination", "getConnections"]);
  const params = { destinationId: destination.id };
  const missing = destination.metadata.options.filter((each) => {
    const value = destination.settings[each.name];
    return each.required && (value === undefined || value === null || value === "");
  });
  const on = mappings?.filter((each) => each.enabled).length ?? 0;
  if (!mappings || !may("destination:write")) return null;
  const ready = missing.length === 0 && on > 0;
  // A promise, since this is gone once the destination is enabled, and callbacks of `mutate` with it.
  const switchOn = () =>
    enable.mutateAsync({ path: params, body: { enabled: true } }).then(
      () => navigate({ to: `/destinations/${destination.id}/overview` }),
      () => {},
    );
  const mapped = `/destinations/${destination.id}/mappings`;
  return (
    <section className={`panel ${css.panel}`} aria-label="Set up">
      <ol className={css.steps}>
        <Step done={missing.length === 0}>
          <Link to="/destinations/$destinationId/settings" params={params}>
            {missing.length === 0 ? "Settings" : "Fill in the settings"}
          </Link>
          {missing.length > 0 && (
            <span className="dim">{missing.map((each) => each.label || each.name).join(", ")} missing</span>
          )}
        </Step>
        <Step done={on > 0}>
          {/* Of one there is nothing to choose from. */}
          <Link to={mappings.length === 1 ? `${mapped}/${mappings[0]!.id}` : mapped}>
            {on > 0 ? "Mappings" : "Enable a mapping"}
          </Link>
          <span className="dim">
            {on > 0
              ? `${on} of ${mappings.length} enabled`
              : mappings.length
              ? `${mappings.length} ready to be looked at`
              : "it says which events are sent, and as what"}
          </span>
        </Step>
        <Step done={false}>
          <span>Enable the destination</span>
          <span className="dim">Until then nothing is sent to it.</span>
        </Step>
      </ol>
      <Button
        variant={ready ? "filled" : "default"}
        loading={enable.isPending}
        onClick={() => void switchOn()}
      >
        Enable destination
      </Button>
      <ErrorNote error={enable.error} />
    </section>
  );
}

function Step({ done, children }: { done: boolean; children: ReactNode }) {
  return (
    <li>
      {done
        ? <IconCircleCheck size={18} color="var(--delivered)" role="img" aria-label="Done" />
        : <IconCircle size={18} color="var(--mantine-color-placeholder)" role="img" aria-label="To do" />}
      <span className={css.words}>{children}</span>
    </li>
  );
}
