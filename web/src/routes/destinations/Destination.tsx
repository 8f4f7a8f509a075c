/** One destination: the head above its parts, and the switch that lets events through. */
import { Switch } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { Link, Outlet, useParams } from "@tanstack/react-router";
import { ApiError } from "~/api/client.ts";
import { useApi, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { Running } from "~/functions/Running.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Monogram } from "~/parts/Monogram.tsx";
import { PageHead } from "~/parts/PageHead.tsx";
import { useFlow } from "../home/flow.ts";
import { healthOf } from "../home/health.ts";
import { HealthChip } from "../home/HealthChip.tsx";
import { functionOf } from "./destination.ts";

export default function Destination() {
  const { destinationId, subscriptionId } = useParams({ strict: false }) as Record<string, string>;
  const path = { destinationId: destinationId! };
  const { may } = useSession();
  const { data, error, refetch } = useApi("getDestination", { path });
  const flow = useFlow();
  const enable = useChange("updateDestination", ["getDestination", "getConnections"]);
  if (error instanceof ApiError && error.status === 404) {
    return (
      <EmptyState icon={IconPlugConnectedX} title="There is no such destination">
        It may have been deleted, or it is of another workspace.
      </EmptyState>
    );
  }
  if (subscriptionId) return <Outlet />; // the mapping editor has a head of its own
  const destination = data?.destination;
  const books = flow.destinations.find((each) => each.id === destinationId);
  const base = `/destinations/${destinationId}`;
  const source = flow.sources?.find((each) => each.id === destination?.sourceId);
  return (
    <>
      <PageHead
        title={destination ? destination.name || destination.metadata.name : "Destination"}
        mark={destination && <Monogram name={destination.metadata.name} size={28} />}
        note={
          <>
            {books && <HealthChip health={healthOf(books)} />}
            {destination?.version && (
              <Link to="/functions/$functionId" params={{ functionId: destination.version.functionId }}>
                <Running version={destination.version} />
              </Link>
            )}
          </>
        }
        crumbs={[
          { label: "Destinations", to: "/destinations" },
          ...(source ? [{ label: source.name || source.slug, to: `/sources/${source.id}` }] : []),
        ]}
        actions={destination && (
          <Switch
            label={destination.enabled ? "Enabled" : "Disabled"}
            labelPosition="left"
            checked={destination.enabled}
            disabled={!may("destination:write") || enable.isPending}
            onChange={(event) =>
              enable.mutate({ path, body: { enabled: event.currentTarget.checked } }, {
                onSuccess: (answer) =>
                  notifications.show({
                    message: answer.destination.enabled
                      ? "Enabled: events flow within 2 s."
                      : "Disabled: nothing more is sent, within 2 s.",
                    color: "teal",
                  }),
              })}
          />
        )}
        tabs={[
          { label: "Overview", to: `${base}/overview` },
          { label: "Settings", to: `${base}/settings` },
          // A function gets events as they are.
          ...(destination && functionOf(destination.metadata)
            ? []
            : [{ label: "Mappings", to: `${base}/mappings` }]),
          { label: "Filters", to: `${base}/filters` },
          { label: "Insert function", to: `${base}/insert-function` },
          { label: "Event tester", to: `${base}/tester` },
          { label: "Delivery", to: `${base}/delivery` },
        ]}
      />
      <ErrorNote error={error ?? enable.error} retry={error ? refetch : undefined} />
      <Outlet />
    </>
  );
}
