/** A source's write keys: SDKs send with one; all of them work, so that one can be replaced in peace. */
import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import type { SourceView } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { Copy } from "~/parts/Copy.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import css from "./Overview.module.css";

export function WriteKeys({ source }: { source: SourceView }) {
  const { may } = useSession();
  const add = useChange("createWriteKeyForSource", ["getSource", "listSources"]);
  const remove = useChange("removeWriteKeyFromSource", ["getSource", "listSources"]);
  const [going, setGoing] = useState<string>();
  const path = { sourceId: source.id };
  const writes = may("source:write");
  return (
    <>
      <ErrorNote error={add.error} />
      <div className="panel">
        {source.writeKeys.map((each) => (
          <div key={each} className={css.row}>
            <span style={{ flex: 1, minWidth: 0 }}>
              <Copy value={each} label="Copy write key" />
            </span>
            {writes && source.writeKeys.length > 1 && (
              <Button
                variant="subtle"
                color="gray"
                onClick={() => setGoing(each)}
                aria-label={`Remove ${each}`}
              >
                Remove
              </Button>
            )}
          </div>
        ))}
      </div>
      {writes && (
        <Button
          mt={8}
          variant="default"
          leftSection={<IconPlus size={16} />}
          loading={add.isPending}
          onClick={() => add.mutate({ path })}
        >
          Add write key
        </Button>
      )}
      <ConfirmByName
        name={going ?? ""}
        title="Remove write key"
        action="Remove write key"
        open={going !== undefined}
        onClose={() => setGoing(undefined)}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          remove.mutate({ path: { ...path, writeKey: going! } }, { onSuccess: () => setGoing(undefined) })}
      >
        Events sent with this key are discarded within two seconds. Replace it in your SDKs first.
      </ConfirmByName>
    </>
  );
}
