/** Begins a mapping: by a preset of the catalogue, or from an action's defaults. It is disabled at first. */
import { Modal, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { DestinationView } from "~/api/generated.ts";
import { useChange } from "~/api/hooks.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import css from "./AddMapping.module.css";

interface Beginning {
  key: string;
  name: string;
  help: string;
  begin: () => void;
}

export function AddMapping({ destination, onClose }: { destination: DestinationView; onClose: () => void }) {
  const navigate = useNavigate();
  const renews = ["listSubscriptionsFromDestination"] as const;
  const create = useChange("createDestinationSubscription", [...renews]);
  const apply = useChange("applyDestinationPreset", [...renews]);
  const [search, setSearch] = useState("");
  const path = { destinationId: destination.id };
  const { presets, actions } = destination.metadata;
  const onSuccess = ({ destinationSubscription: made }: { destinationSubscription: { id: string } }) => {
    void navigate({ to: `/destinations/${destination.id}/mappings/${made.id}` });
  };
  const matches = (each: Beginning) =>
    `${each.name} ${each.help}`.toLowerCase().includes(search.trim().toLowerCase());
  const ready: Beginning[] = presets.filter((each) => each.onward.automatic).map((each, at) => ({
    key: `${each.name} ${at}`,
    name: each.name,
    help: each.trigger,
    begin: () => apply.mutate({ path, body: { name: each.name } }, { onSuccess }),
  }));
  const plain: Beginning[] = actions.filter((each) => !each.hidden && each.platform === "CLOUD").map((
    each,
  ) => ({
    key: each.id,
    name: each.name,
    help: each.description,
    begin: () =>
      create.mutate({
        path,
        body: { name: each.name, actionId: each.id, trigger: each.defaultTrigger || 'type = "track"' },
      }, { onSuccess }),
  }));
  const busy = create.isPending || apply.isPending;
  const list = (title: string, found: Beginning[]) =>
    found.length > 0 && (
      <>
        <h3 className={css.title}>{title}</h3>
        <ul className={css.list}>
          {found.map((each) => (
            <li key={each.key}>
              <button type="button" className={css.choice} disabled={busy} onClick={each.begin}>
                <b>{each.name}</b>
                <span className="dim small">{each.help}</span>
              </button>
            </li>
          ))}
        </ul>
      </>
    );
  return (
    <Modal opened onClose={onClose} title="Add mapping" size={560}>
      {ready.length + plain.length > 8 && (
        <TextInput
          data-autofocus
          placeholder="Find"
          aria-label="Find presets and actions"
          leftSection={<IconSearch size={16} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      )}
      <ErrorNote error={create.error ?? apply.error} />
      {list("Presets, filled in", ready.filter(matches))}
      {list("Actions, with their defaults", plain.filter(matches))}
    </Modal>
  );
}
