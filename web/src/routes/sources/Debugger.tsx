/** The latest events of this source. */
import { useSource } from "./source.ts";
import { TailView } from "./TailView.tsx";

export default function Debugger() {
  const { source, sourceId } = useSource();
  return <TailView sourceId={sourceId} source={source} />;
}
