/**
 * The mapping editor: when it is meant and what is sent at the left; at the right a real event and what
 * becomes of it, live. What is typed counts once it is saved.
 */
import { Button, Group, Menu, SegmentedControl, Switch } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconArrowsSplit, IconChevronDown } from "@tabler/icons-react";
import { useBlocker, useParams } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useMemo, useRef, useState } from "react";
import { ApiError } from "~/api/client.ts";
import type { ActionView, DestinationView, SubscriptionView } from "~/api/generated.ts";
import { useApi, useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { useAddress } from "~/parts/address.ts";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { Monogram } from "~/parts/Monogram.tsx";
import { PageHead } from "~/parts/PageHead.tsx";
import { Section } from "~/parts/Section.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { useDestination } from "../destinations/destination.ts";
import { SetUp } from "../destinations/SetUp.tsx";
import { useEvent } from "../destinations/event.ts";
import { useDraft } from "./draft.ts";
import { Fields, type Mapping as Settings } from "./Fields.tsx";
import { Hook, hooksOf } from "./Hooks.tsx";
import { LivePreview } from "./LivePreview.tsx";
import css from "./Mapping.module.css";
import { type Picking, PickingContext } from "./picking.ts";
import { placed, usePreview } from "./preview.ts";
import { Trigger } from "./Trigger.tsx";
import { variables } from "./values.ts";

const JsonEditor = lazy(() => import("~/parts/JsonEditor.tsx"));

export default function Mapping() {
  const { subscriptionId } = useParams({ strict: false }) as { subscriptionId: string };
  const { destination, destinationId } = useDestination();
  const path = { destinationId, id: subscriptionId };
  const { data, error, refetch } = useApi("getSubscriptionFromDestination", { path });
  if (error instanceof ApiError && error.status === 404) {
    return (
      <EmptyState icon={IconArrowsSplit} title="There is no such mapping">
        It may have been deleted.
      </EmptyState>
    );
  }
  const mapping = data?.subscription;
  const action = destination?.metadata.actions.find((each) => each.slug === mapping?.actionSlug);
  return (
    <>
      <ErrorNote error={error} retry={refetch} />
      {destination && mapping && !action && (
        <ErrorNote error={`${destination.metadata.name} has no action ${mapping.actionSlug} any more`} />
      )}
      {destination && mapping?.id === subscriptionId && action && (
        <Editor key={mapping.id} destination={destination} mapping={mapping} action={action} />
      )}
    </>
  );
}

function Editor({ destination, mapping, action }: {
  destination: DestinationView;
  mapping: SubscriptionView;
  action: ActionView;
}) {
  const { may } = useSession();
  const disabled = !may("destination:write");
  const path = { destinationId: destination.id, id: mapping.id };
  const { draft, change, set, dirty, discard } = useDraft(mapping);
  const [view, setView] = useAddress<"form" | "json">("view", "form");
  const [triggerProblem, setTriggerProblem] = useState<string>();
  const save = useChange("updateSubscriptionForDestination", [
    "getSubscriptionFromDestination",
    "listSubscriptionsFromDestination",
  ]);
  const keep = (more: { enabled?: boolean }, message: string) =>
    save.mutate({ path, body: { input: { ...draft, ...more } } }, {
      onSuccess: () => notifications.show({ message, color: "teal" }),
    });
  const toggle = (enabled: boolean) =>
    save.mutate({ path, body: { input: { enabled } } }, {
      onSuccess: () =>
        notifications.show({ message: `${enabled ? "En" : "Dis"}abled, within 2 s.`, color: "teal" }),
    });
  const chosen = useEvent(destination.sourceId, mapping.trigger);
  const live = usePreview(path, draft, chosen, !disabled);
  const errors = useSteady({ ...live.errors, ...placed(save.error) });
  const setSettings = useCallback((settings: Settings) => change({ settings }), []);
  const aimed = useRef<(path: string) => void>(undefined);
  const picking: Picking = useMemo(() => ({
    variables: variables(chosen.event),
    aim: (take) => {
      aimed.current = take;
    },
    disabled,
  }), [chosen.event, disabled]);
  const onPick = useCallback((picked: string) => aimed.current?.(picked), []);
  useBlocker({
    shouldBlockFn: ({ current, next }) =>
      dirty && current.pathname !== next.pathname &&
      !globalThis.confirm("Leave without saving what you changed in this mapping?"),
    enableBeforeUnload: () => dirty,
  });
  const presets = destination.metadata.presets.filter((each) => each.actionId === action.id && each.trigger);
  const fallback: Settings = Object.fromEntries(
    action.fields.filter((each) => each.defaultValue !== null).map((
      each,
    ) => [each.fieldKey, each.defaultValue]),
  );
  const eventNames = [
    ...new Set(chosen.lines.flatMap(({ payload }) => (payload as { event?: string }).event ?? [])),
  ];
  const base = `/destinations/${destination.id}`;
  return (
    <PickingContext value={picking}>
      <PageHead
        title={mapping.name || action.name}
        mark={<Monogram name={destination.metadata.name} size={28} />}
        note={dirty
          ? <StateChip state="pending">Not saved</StateChip>
          : !mapping.enabled && <StateChip state="filtered">Disabled</StateChip>}
        crumbs={[
          { label: "Destinations", to: "/destinations" },
          { label: destination.name || destination.metadata.name, to: `${base}/overview` },
          { label: "Mappings", to: `${base}/mappings` },
        ]}
        actions={!disabled && (
          <>
            <Switch
              label="Enabled"
              labelPosition="left"
              checked={mapping.enabled}
              disabled={save.isPending}
              onChange={(event) => toggle(event.currentTarget.checked)}
            />
            <Button variant="default" disabled={!dirty} onClick={discard}>Discard</Button>
            <Button
              variant={dirty && !mapping.enabled ? "default" : "filled"}
              disabled={!dirty || !!triggerProblem}
              loading={save.isPending}
              onClick={() => keep({}, "Saved. It takes effect within 2 s.")}
            >
              Save
            </Button>
            {dirty && !mapping.enabled && (
              <Button
                disabled={!!triggerProblem}
                loading={save.isPending}
                onClick={() => keep({ enabled: true }, "Saved and enabled, within 2 s.")}
              >
                Save and enable
              </Button>
            )}
          </>
        )}
      />
      {!destination.enabled && <SetUp destination={destination} />}
      {Object.keys(placed(save.error)).length === 0 && <ErrorNote error={save.error} />}
      <div className={css.halves}>
        <div style={{ minWidth: 0 }}>
          <Section
            title="When"
            actions={!disabled && (
              <Menu position="bottom-end">
                <Menu.Target>
                  <Button variant="subtle" rightSection={<IconChevronDown size={14} />}>Begin from</Button>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item
                    onClick={() =>
                      change({ trigger: action.defaultTrigger ?? draft.trigger, settings: fallback })}
                  >
                    The action's defaults
                  </Menu.Item>
                  {presets.length > 0 && <Menu.Label>Presets</Menu.Label>}
                  {presets.map((each, at) => (
                    <Menu.Item
                      key={at}
                      onClick={() => change({ trigger: each.trigger, settings: each.fields })}
                    >
                      {each.name}
                    </Menu.Item>
                  ))}
                </Menu.Dropdown>
              </Menu>
            )}
          >
            <Trigger
              trigger={draft.trigger}
              onChange={(trigger) => change({ trigger })}
              onProblem={setTriggerProblem}
              error={errors.trigger}
              eventNames={eventNames}
            />
          </Section>
          {hooksOf(action).map((hook) => (
            <Hook
              key={hook.name}
              hook={hook}
              action={action.slug}
              tool={destination.metadata.name}
              path={path}
              settings={draft.settings}
              onKept={set}
              disabled={disabled}
            />
          ))}
          <Section
            title="Send"
            actions={
              <Group gap={8}>
                <span className="dim small">Action: {action.name}</span>
                <SegmentedControl
                  size="xs"
                  aria-label="How the mapping is shown"
                  value={view}
                  onChange={(value) => setView(value as "form" | "json")}
                  data={[{ value: "form", label: "Fields" }, { value: "json", label: "JSON" }]}
                />
              </Group>
            }
          >
            {view === "form"
              ? (
                <Fields
                  action={action}
                  mapping={draft.settings}
                  onChange={setSettings}
                  errors={errors}
                  payload={live.result?.payload}
                  destinationId={destination.id}
                />
              )
              : (
                <AsJson
                  settings={draft.settings}
                  disabled={disabled}
                  errors={errors}
                  onChange={(settings) => change({ settings })}
                />
              )}
          </Section>
        </div>
        <LivePreview
          path={path}
          draft={draft}
          chosen={chosen}
          live={live}
          onPick={onPick}
          disabled={disabled}
        />
      </div>
    </PickingContext>
  );
}

/** The same object as long as it says the same. */
function useSteady<T>(value: T): T {
  return useMemo(() => value, [JSON.stringify(value)]);
}

function AsJson({ settings, onChange, errors, disabled }: {
  settings: Settings;
  onChange: (settings: Settings) => void;
  errors: Record<string, string>;
  disabled: boolean;
}) {
  const [text, setText] = useState(() => JSON.stringify(settings, null, 2));
  const [wrong, setWrong] = useState("");
  return (
    <Suspense fallback={<p className="dim">Loading the editor…</p>}>
      <JsonEditor
        label="Mapping as JSON"
        height={520}
        value={text}
        disabled={disabled}
        onChange={(next) => {
          setText(next);
          try {
            const value = JSON.parse(next);
            if (!value || typeof value !== "object" || Array.isArray(value)) throw new Error("not an object");
            onChange(value);
            setWrong("");
          } catch {
            setWrong("This is not a JSON object yet; the mapping from before holds.");
          }
        }}
      />
      {(wrong || Object.keys(errors).length > 0) && (
        <ErrorNote
          error={wrong || Object.entries(errors).map(([key, each]) => `${key}: ${each}`).join("; ")}
        />
      )}
    </Suspense>
  );
}
