/** The delivery tab of a destination. */
import { useParams } from "@tanstack/react-router";
import { EventDelivery } from "~/delivery/EventDelivery.tsx";

export default function DestinationDelivery() {
  const { destinationId } = useParams({ strict: false }) as { destinationId: string };
  return <EventDelivery destinationId={destinationId} />;
}
