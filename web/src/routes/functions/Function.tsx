/** One function: its code, and beside it tests, settings, versions and where it runs. */
import { Button, Tabs } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconCode } from "@tabler/icons-react";
import { useBlocker, useNavigate, useParams } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { ApiError, call } from "~/api/client.ts";
import type { FunctionView, Trial } from "~/api/generated.ts";
import { client, useAll, useApi, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { completionOf } from "~/functions/completion.ts";
import { Deploy } from "~/functions/Deploy.tsx";
import { changesOf, type Draft, draftOf } from "~/functions/draft.ts";
import { type Instances, KINDS, standing, useInstances } from "~/functions/kinds.ts";
import { LogsPanel } from "~/functions/LogsPanel.tsx";
import { SettingsPanel } from "~/functions/SettingsPanel.tsx";
import { type Given, pretty, problemOf, requestOf, TestPanel } from "~/functions/TestPanel.tsx";
import { UsePanel } from "~/functions/UsePanel.tsx";
import { VersionsPanel } from "~/functions/VersionsPanel.tsx";
import { useAddress } from "~/parts/address.ts";
import { ConfirmByName } from "~/parts/ConfirmByName.tsx";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { PageHead } from "~/parts/PageHead.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import css from "./Function.module.css";

const CodeEditor = lazy(() => import("~/functions/CodeEditor.tsx"));

const WEBHOOK = { id: "cus_1", email: "ada@example.com" };

export default function Page() {
  const { functionId } = useParams({ strict: false }) as { functionId: string };
  const { data, error, refetch } = useApi("getFunction", { path: { functionId } });
  if (error instanceof ApiError && error.status === 404) {
    return (
      <EmptyState
        icon={IconCode}
        title="There is no such function"
        action={<LinkButton to="/functions" variant="default">All functions</LinkButton>}
      >
        It may have been deleted, or it is of another workspace.
      </EmptyState>
    );
  }
  if (!data || data.function.id !== functionId) {
    return (
      <>
        <PageHead title="Function" crumbs={[{ label: "Functions", to: "/functions" }]} />
        <ErrorNote error={error} retry={refetch} />
      </>
    );
  }
  return <Workbench key={functionId} view={data.function} />;
}

/** To how many instances the version of this number is deployed, if that can be told. */
function reach({ seen, hidden }: Instances, deployed: number): string {
  if (hidden > 0) return "";
  if (seen.length === 0) return ", connected to nothing";
  const there = seen.filter((each) => each.version.number === deployed).length;
  return ` to ${there < seen.length ? `${there} of ` : ""}${seen.length} instance${
    seen.length > 1 ? "s" : ""
  }`;
}

function Workbench({ view }: { view: FunctionView }) {
  const functionId = view.id;
  const path = { functionId };
  const { may } = useSession();
  const readOnly = !may("function:write");
  const navigate = useNavigate();
  const [tab, setTab] = useAddress("tab", "test");
  const [saved, setSaved] = useState(() => draftOf(view));
  const [draft, setDraft] = useState(saved);
  const [given, setGiven] = useState<Given>({
    text: view.resourceType === "SOURCE" ? pretty(WEBHOOK) : "",
    settings: {},
  });
  const [line, setLine] = useState<number>();
  const [deploying, setDeploying] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const sample = useApi("getSampleEvent", { query: { type: "track" } }, {
    enabled: view.resourceType !== "SOURCE",
  });
  const versions = useAll("listFunctionVersions", { path });
  const instances = useInstances(functionId, view.resourceType);
  const save = useChange("updateFunction", ["getFunction", "listFunctionVersions", "listFunctions"]);
  const deploy = useChange("createFunctionDeployment", [
    "getFunction",
    "listFunctionInstances",
    "listFunctionVersions",
    "getDestinationsCatalog",
  ]);
  const remove = useChange("deleteFunction", ["listFunctions"]);
  const test = useChange("testFunction");
  const changes = useMemo(() => changesOf(saved, draft), [saved, draft]);
  const unsaved = Object.keys(changes).length > 0;
  const numbers = standing(versions.items);
  const behind = instances?.seen.filter((each) => each.version.behind).length ?? 0;

  useEffect(() => {
    const event = sample.data?.event;
    if (event) setGiven((now) => now.text ? now : { ...now, text: pretty(event) });
  }, [sample.data]);
  useBlocker({
    shouldBlockFn: ({ current, next }) =>
      unsaved && current.pathname !== next.pathname && !confirm("Leave without saving what you changed?"),
    enableBeforeUnload: () => unsaved,
  });

  const edit = (made: Partial<Draft>) => setDraft((now) => ({ ...now, ...made }));
  const reload = async () => {
    const { function: now } = await client.fetchQuery({
      queryKey: ["getFunction", { path }],
      queryFn: () => call("getFunction", { path }),
      staleTime: 0,
    });
    setSaved(draftOf(now));
    setDraft(draftOf(now));
  };
  const saveNow = async (): Promise<boolean> => {
    if (!unsaved || readOnly) return !readOnly;
    setLine(undefined);
    try {
      const { function: now } = await save.mutateAsync({ path, body: changes });
      setSaved(draftOf(now));
      setDraft(draftOf(now));
      return true;
    } catch (error) {
      const at = /line (\d+)/.exec((error as Error).message)?.[1];
      if (at && error instanceof ApiError && error.of("code")) setLine(Number(at));
      return false;
    }
  };
  const deployNow = async (instanceIds: string[] | undefined) => {
    if (!await saveNow()) return;
    await deploy.mutateAsync({ path, body: { instanceIds } }).then(() => {
      setDeploying(false);
      notifications.show({ message: "Deployed. It takes effect within 2 s.", color: "teal" });
    }, () => {});
  };
  /** Show a line of the code again, also if it is the one that was shown last. */
  const show = (at: number) => {
    setLine(undefined);
    requestAnimationFrame(() => setLine(at));
  };
  const run = () => {
    if (problemOf(given.text)) return;
    setLine(undefined);
    const event = JSON.parse(given.text);
    test.mutate({
      path,
      body: {
        code: draft.code,
        settings: given.settings,
        ...(view.resourceType === "SOURCE" ? { request: requestOf(given) } : { payload: event }),
      },
    }, {
      onSuccess: ({ test: trial }) => setLine(trial.line ?? undefined),
      onError: (error) => {
        const at = /line (\d+)/.exec(error.message)?.[1];
        if (at) setLine(Number(at));
      },
    });
  };
  const complete = useMemo(() => {
    let event: unknown;
    try {
      event = JSON.parse(given.text);
    } catch {
      // Completion does without the event's own fields until it is JSON again.
    }
    return completionOf(draft.settings.map((each) => each.name).filter(Boolean), event);
  }, [draft.settings, given.text]);
  const trial = test.data?.test as Trial | undefined;
  const kind = KINDS[view.resourceType];
  return (
    <>
      <PageHead
        title={saved.displayName}
        crumbs={[{ label: "Functions", to: "/functions" }]}
        note={
          <>
            <span className="dim">{kind.word}</span>
            {unsaved && <StateChip state="retrying">Unsaved</StateChip>}
          </>
        }
        actions={!readOnly && (
          <>
            <Button
              variant="default"
              onClick={saveNow}
              disabled={!unsaved}
              loading={save.isPending && !deploying}
            >
              Save
            </Button>
            <Button
              onClick={() => setDeploying(true)}
              disabled={!instances || (!unsaved && view.isLatestVersion && behind === 0)}
            >
              {unsaved ? "Save & deploy…" : "Deploy…"}
            </Button>
          </>
        )}
      />
      {!deploying && <ErrorNote error={save.error} />}
      <div className={css.bench}>
        <div className={`panel ${css.code}`}>
          <div className={css.editor}>
            <Suspense fallback={<div className={css.wait} />}>
              <CodeEditor
                language={view.language === "TYPESCRIPT" ? "typescript" : "javascript"}
                label="Code of the function"
                value={draft.code}
                onChange={(code) => edit({ code })}
                complete={complete}
                failedLine={line}
                onSave={() => void saveNow()}
                onRun={run}
                readOnly={readOnly}
              />
            </Suspense>
          </div>
          <footer className={`${css.foot} dim small num`}>
            <span>
              {numbers.saved ? `saved v${numbers.saved}` : ""}
              {numbers.deployed
                ? ` · deployed v${numbers.deployed}${instances ? reach(instances, numbers.deployed) : ""}`
                : " · not deployed"}
            </span>
            <span>Ctrl S saves · Ctrl ↵ runs · Esc, Tab leaves</span>
          </footer>
        </div>
        <div className={css.side}>
          <Tabs value={tab} onChange={(value) => setTab(value ?? "test")} keepMounted={false}>
            <Tabs.List mb={12}>
              <Tabs.Tab value="test">Test</Tabs.Tab>
              <Tabs.Tab value="settings">Settings</Tabs.Tab>
              <Tabs.Tab value="logs">Logs</Tabs.Tab>
              <Tabs.Tab value="versions">Versions</Tabs.Tab>
              <Tabs.Tab value="use">Use</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="test">
              <TestPanel
                kind={view.resourceType}
                draft={draft}
                given={given}
                preview={view.previewWebhookUrl
                  ? { functionId: view.id, url: view.previewWebhookUrl }
                  : undefined}
                onGiven={setGiven}
                onRun={run}
                running={test.isPending}
                error={test.error}
                trial={trial}
                onLine={show}
              />
            </Tabs.Panel>
            <Tabs.Panel value="settings">
              <SettingsPanel
                draft={draft}
                onChange={edit}
                error={save.error}
                readOnly={readOnly}
                batches={view.resourceType !== "SOURCE"}
              />
              {!readOnly && (
                <Button variant="subtle" color="red" onClick={() => setDeleting(true)}>
                  Delete function
                </Button>
              )}
            </Tabs.Panel>
            <Tabs.Panel value="logs">
              <LogsPanel
                functionId={functionId}
                kind={view.resourceType}
                instances={instances?.seen}
                shown={"code" in changes ? undefined : numbers.saved}
                onLine={show}
                onTry={(input) => {
                  setGiven((now) => ({ ...now, text: pretty(input) }));
                  setTab("test");
                }}
              />
            </Tabs.Panel>
            <Tabs.Panel value="versions">
              <VersionsPanel
                functionId={functionId}
                versions={versions.items}
                instances={instances?.seen}
                readOnly={readOnly || unsaved}
                onRestored={() => void reload()}
              />
            </Tabs.Panel>
            <Tabs.Panel value="use">
              <UsePanel
                functionId={functionId}
                kind={view.resourceType}
                slug={`function-${functionId}`}
                instances={instances?.seen}
                deployed={!!view.deployedAt}
              />
            </Tabs.Panel>
          </Tabs>
        </div>
      </div>
      {deploying && instances && (
        <Deploy
          unsaved={unsaved}
          next={numbers.saved && numbers.saved + (("code" in changes || "settings" in changes) ? 1 : 0)}
          deployed={numbers.deployed}
          instances={instances}
          busy={save.isPending || deploy.isPending}
          error={save.error ?? deploy.error}
          onClose={() => setDeploying(false)}
          onDeploy={(instanceIds) => void deployNow(instanceIds)}
        />
      )}
      <ConfirmByName
        name={saved.displayName}
        title="Delete this function?"
        action="Delete function"
        open={deleting}
        onClose={() => setDeleting(false)}
        onConfirm={() =>
          remove.mutate({ path }, {
            onSuccess: () => {
              setSaved(draft);
              void navigate({ to: "/functions", ignoreBlocker: true });
            },
          })}
        busy={remove.isPending}
        error={remove.error}
      >
        It goes with all its versions. {instances && instances.seen.length + instances.hidden > 0
          ? "It is still in use: disconnect it where it runs first."
          : "It runs nowhere."}
      </ConfirmByName>
    </>
  );
}
