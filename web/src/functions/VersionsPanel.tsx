/** All that was ever saved of a function: what each version changed, which one runs, and going back to one. */
import { Button, Modal } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { lazy, Suspense } from "react";
import type { VersionView } from "~/api/generated.ts";
import { useAll, useApi, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { Time } from "~/parts/Time.tsx";
import type { Instance } from "./kinds.ts";
import css from "./VersionsPanel.module.css";

const CodeDiff = lazy(() => import("./CodeDiff.tsx"));

export function VersionsPanel(
  { functionId, versions, instances, readOnly, onRestored }: {
    functionId: string;
    versions: VersionView[] | undefined;
    instances: Instance[] | undefined;
    readOnly: boolean;
    onRestored: () => void;
  },
) {
  const { may } = useSession();
  const [opened, setOpened] = useAddress("version", "");
  const people = useAll("listUsers", {}, { enabled: may("people:read") });
  const author = (id: string) => people.items?.find((each) => each.id === id)?.name;
  const open = versions?.find((each) => String(each.number) === opened);
  const runsAt = (id: string) => instances?.filter((each) => each.version.versionId === id) ?? [];
  return (
    <>
      <ol className={`panel ${css.list}`} aria-label="Versions">
        {versions?.map((each) => (
          <li key={each.id}>
            <button type="button" className={css.line} onClick={() => setOpened(String(each.number))}>
              <b className="num">v{each.number}</b>
              <span className={css.words}>
                <span>
                  saved <Time at={each.createdAt} />{" "}
                  {author(each.author) && <span className="dim">by {author(each.author)}</span>}
                </span>
                <span className="dim small">{each.handlers?.join(", ") || "no handlers"}</span>
                {runsAt(each.id).length > 0 && <span className="small">{runsWhere(runsAt(each.id))}</span>}
              </span>
              {each.isLatest && <StateChip state="pending">Saved</StateChip>}
              {each.isDeployed && <StateChip state="delivered">Deployed</StateChip>}
            </button>
          </li>
        ))}
      </ol>
      {open && (
        <Version
          key={open.id}
          functionId={functionId}
          version={open}
          before={versions!.find((each) => each.number === open.number - 1)}
          latest={versions!.find((each) => each.isLatest)!}
          readOnly={readOnly}
          onClose={() => setOpened("")}
          onRestored={onRestored}
        />
      )}
    </>
  );
}

/** "Runs at Send of web, In of app and 3 more". */
function runsWhere(instances: Instance[]): string {
  const shown = instances.slice(0, 3).map(({ at, sourceName }) =>
    at === sourceName ? at : `${at} of ${sourceName}`
  );
  const more = instances.length - shown.length;
  return `Runs at ${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function Version(
  { functionId, version, before, latest, readOnly, onClose, onRestored }: {
    functionId: string;
    version: VersionView;
    before: VersionView | undefined;
    latest: VersionView;
    readOnly: boolean;
    onClose: () => void;
    onRestored: () => void;
  },
) {
  const { data, error } = useApi("getFunctionVersionDiff", {
    path: { functionId, versionId: version.id },
    query: {},
  });
  const restore = useChange("restoreFunctionVersion", ["getFunction", "listFunctionVersions"]);
  const diff = data?.diff;
  return (
    <Modal
      opened
      onClose={onClose}
      size="min(880px, 100%)"
      title={before ? `What v${version.number} changed` : `v${version.number}, the first`}
      styles={{ title: { fontWeight: 600 } }}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <div className={css.head}>
        {diff && before && (
          <span className="num">
            <span style={{ color: "var(--delivered)" }}>+{diff.added}</span>{" "}
            <span style={{ color: "var(--discarded)" }}>−{diff.removed}</span> lines
          </span>
        )}
        {version.deployedAt && (
          <span className="dim">
            deployed <Time at={version.deployedAt} />
          </span>
        )}
        <span style={{ flex: 1 }} />
        {!version.isLatest && !readOnly && (
          <Button
            variant="default"
            loading={restore.isPending}
            onClick={() =>
              restore.mutate({ path: { functionId }, body: { versionId: version.id } }, {
                onSuccess: ({ version: made }) => {
                  notifications.show({
                    message:
                      `v${made.number} is a copy of v${version.number}. What runs stays until you deploy it.`,
                    color: "teal",
                  });
                  onRestored();
                  onClose();
                },
              })}
          >
            Restore as v{latest.number + 1}
          </Button>
        )}
      </div>
      <ErrorNote error={error ?? restore.error} />
      {diff && diff.settings.length > 0 && (
        <ul>
          {diff.settings.map((each) => (
            <li key={each.name}>
              Setting <code>{each.name}</code> {!each.before ? "added" : !each.after ? "removed" : "changed"}
            </li>
          ))}
        </ul>
      )}
      <div className={css.code}>
        <Suspense fallback={<p className="dim">Loading…</p>}>
          <CodeDiff before={before?.code ?? version.code} after={version.code} />
        </Suspense>
      </div>
    </Modal>
  );
}
