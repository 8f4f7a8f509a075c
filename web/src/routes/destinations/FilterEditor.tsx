/** A filter in a drawer: what it does, when, and what it leaves of a real event, as one types. */
import { Autocomplete, Button, Group, NumberInput, Select, Stack, TagsInput, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { ApiError, call } from "~/api/client.ts";
import type { DestinationView, FilterView } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { JsonView } from "~/parts/JsonView.tsx";
import { SidePanel } from "~/parts/SidePanel.tsx";
import { StateChip } from "~/parts/StateChip.tsx";
import { type Picking, PickingContext } from "../mapping/picking.ts";
import { Trigger } from "../mapping/Trigger.tsx";
import { same, variables } from "../mapping/values.ts";
import { EventPicker, OwnEvent } from "./EventPicker.tsx";
import { type ChosenEvent, useEvent } from "./event.ts";
import { BLANK, DOES, type Does, draftOf, type FilterDraft, written } from "./filter.ts";

export function FilterEditor({ destination, filter, onClose }: {
  destination: DestinationView;
  /** Undefined for a new one. */
  filter?: FilterView;
  onClose: () => void;
}) {
  const { may } = useSession();
  const disabled = !may("destination:write");
  const chosen = useEvent(destination.sourceId);
  const begun = filter ? draftOf(filter) : BLANK;
  const [draft, setDraft] = useState(begun ?? BLANK);
  const change = (changes: Partial<FilterDraft>) => setDraft((before) => ({ ...before, ...changes }));
  const create = useChange("createFilterForDestination", ["listFiltersFromDestination"]);
  const update = useChange("updateFilterForDestination", ["listFiltersFromDestination"]);
  const preview = useFilterPreview(draft, chosen);
  const picking: Picking = useMemo(
    () => ({ variables: variables(chosen.event), aim: () => {}, disabled }),
    [chosen.event, disabled],
  );
  const failure = create.error ?? update.error;
  const error = failure instanceof ApiError ? failure : undefined;
  const unread = preview.error instanceof ApiError ? preview.error : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = { title: draft.title, ...written(draft) };
    const path = { destinationId: destination.id };
    const done = { onSuccess: onClose };
    if (filter) update.mutate({ path: { ...path, filterId: filter.id }, body }, done);
    else create.mutate({ path, body: { ...body, sourceId: destination.sourceId, enabled: true } }, done);
  };
  const paths = picking.variables.map((each) => each.path).filter((each) => !/[[\]']/.test(each));
  return (
    <SidePanel open onClose={onClose} title={filter ? filter.title : "Add filter"} width={760}>
      {begun
        ? (
          <PickingContext value={picking}>
            <form onSubmit={submit}>
              <Stack gap={16}>
                <TextInput
                  label="Name"
                  placeholder="No test users"
                  maxLength={64}
                  disabled={disabled}
                  value={draft.title}
                  error={error?.of("title")}
                  onChange={(event) => change({ title: event.currentTarget.value })}
                />
                <Select
                  label="What it does"
                  disabled={disabled}
                  value={draft.does}
                  onChange={(value) => change({ does: value as Does })}
                  data={Object.entries(DOES).map(([value, label]) => ({ value, label }))}
                />
                {draft.does === "sample" && (
                  <Group grow>
                    <NumberInput
                      label="Share"
                      suffix=" %"
                      min={0}
                      max={100}
                      disabled={disabled}
                      value={draft.share}
                      onChange={(value) => change({ share: Number(value) })}
                    />
                    <Autocomplete
                      label="Chosen by"
                      placeholder="each event for itself"
                      disabled={disabled}
                      value={draft.by}
                      onChange={(by) => change({ by })}
                      data={paths}
                      limit={100}
                    />
                  </Group>
                )}
                {(draft.does === "without" || draft.does === "with") && (
                  <TagsInput
                    label="Properties"
                    description="Such as properties.email or context.ip"
                    disabled={disabled}
                    value={draft.paths}
                    onChange={(next) => change({ paths: next })}
                    data={paths}
                    limit={100}
                    error={unread?.of("actions[0]")}
                  />
                )}
                <div>
                  <div style={{ fontWeight: 500, fontSize: 13, marginBottom: 4 }}>When</div>
                  <Trigger
                    label="Condition"
                    wider
                    trigger={draft.condition}
                    onChange={(condition) => change({ condition })}
                    error={unread?.of("if") ?? error?.of("if")}
                    eventNames={[
                      ...new Set(
                        chosen.lines.flatMap(({ payload }) => (payload as { event?: string }).event ?? []),
                      ),
                    ]}
                  />
                </div>
                <section aria-label="What it leaves of an event">
                  <EventPicker chosen={chosen} />
                  <OwnEvent chosen={chosen} />
                  <div style={{ marginTop: 8 }} aria-live="polite">
                    <Verdict preview={preview} draft={draft} />
                  </div>
                </section>
                {!error?.problems[0]?.field && <ErrorNote error={failure} />}
                {!disabled && (
                  <Group justify="flex-end" gap={8}>
                    <Button variant="default" onClick={onClose}>Cancel</Button>
                    <Button
                      type="submit"
                      disabled={!draft.title.trim() || !!unread}
                      loading={create.isPending || update.isPending}
                    >
                      {filter ? "Save filter" : "Add filter"}
                    </Button>
                  </Group>
                )}
              </Stack>
            </form>
          </PickingContext>
        )
        : (
          <>
            <p className="dim">This filter does several things at once; it can be changed through the API.</p>
            <JsonView value={{ if: filter!.if, actions: filter!.actions }} />
          </>
        )}
    </SidePanel>
  );
}

function useFilterPreview(draft: FilterDraft, chosen: ChosenEvent) {
  const [asked] = useDebouncedValue({ filter: written(draft), payload: chosen.event }, 250);
  return useQuery({
    queryKey: ["previewDestinationFilter", asked],
    queryFn: () =>
      call("previewDestinationFilter", {
        body: { filter: asked.filter as never, payload: asked.payload! },
      }),
    enabled: asked.payload !== undefined,
    placeholderData: keepPreviousData,
    retry: false,
  });
}

function Verdict({ preview: { data, error }, draft }: {
  preview: ReturnType<typeof useFilterPreview>;
  draft: FilterDraft;
}) {
  if (error) return <StateChip state="discarded">This filter can't be saved yet</StateChip>;
  if (!data) return <StateChip state="pending">Looking</StateChip>;
  if (data.result === null) {
    return (
      <StateChip state="filtered">
        {draft.does === "sample" ? "This event is not in the share" : "This event is dropped"}
      </StateChip>
    );
  }
  if (same(data.result, data.inputPayload)) {
    return <StateChip state="delivered">This event goes through as it is</StateChip>;
  }
  return (
    <>
      <StateChip state="delivered">This event goes through, changed</StateChip>
      <div className="panel" style={{ marginTop: 8, padding: "8px 12px", maxHeight: 320, overflow: "auto" }}>
        <JsonView value={data.result} tools={false} />
      </div>
    </>
  );
}
