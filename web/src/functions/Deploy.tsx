/** Save and deploy: which instances get the new version, before it is done. */
import { Button, Checkbox, Group, Modal } from "@mantine/core";
import { useState } from "react";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import css from "./Deploy.module.css";
import type { Instance, Instances } from "./kinds.ts";

export function Deploy(
  { unsaved, next, deployed, instances: { seen, hidden }, busy, error, onClose, onDeploy }: {
    unsaved: boolean;
    /** Number of the version that will run. */
    next: number | undefined;
    deployed: number | undefined;
    instances: Instances;
    busy: boolean;
    error: unknown;
    onClose: () => void;
    /** The ids of what was chosen; undefined for whatever there is. */
    onDeploy: (instanceIds: string[] | undefined) => void;
  },
) {
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const there = (each: Instance) => !unsaved && each.version.number === next;
  const open = seen.filter((each) => each.mayDeploy && !there(each));
  const chosen = open.filter((each) => !left.has(each.id));
  const every = hidden === 0 && seen.every((each) => there(each) || chosen.includes(each));
  const leave = (ids: string[], leaving: boolean) =>
    setLeft((now) => new Set([...[...now].filter((id) => !ids.includes(id)), ...(leaving ? ids : [])]));
  const word = unsaved ? "Save and deploy" : "Deploy";
  return (
    <Modal
      opened
      onClose={onClose}
      title={word}
      styles={{ title: { fontWeight: 600 } }}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      {seen.length === 0
        ? (
          <p style={{ marginTop: 0 }}>
            {next ? <>Version {next}</> : "The saved version"} will run
            {deployed && deployed !== next ? <>{" "}in place of version {deployed}</> : " for the first time"}
            {". "}
            {hidden === 0 && "It is connected to nothing yet. Deployed, it is in the catalogue, and can be."}
          </p>
        )
        : (
          <>
            <p style={{ marginTop: 0 }}>
              Choose what runs{" "}
              {next ? <>version {next}</> : "the saved version"}. What is left out keeps the version that it
              has; what is connected later gets the new one.
            </p>
            <div className={css.list} role="group" aria-label="Instances">
              {open.length > 1 && (
                <Checkbox
                  className={css.all}
                  label={`All ${open.length}`}
                  checked={chosen.length === open.length}
                  indeterminate={chosen.length > 0 && chosen.length < open.length}
                  onChange={(event) => leave(open.map((each) => each.id), !event.currentTarget.checked)}
                />
              )}
              {seen.map((each) => (
                <Row
                  key={each.id}
                  instance={each}
                  next={next}
                  there={there(each)}
                  checked={chosen.includes(each)}
                  onCheck={(checked) => leave([each.id], !checked)}
                />
              ))}
            </div>
          </>
        )}
      {hidden > 0 && (
        <p className="dim small">
          {hidden === 1 ? "One more runs" : `${hidden} more run`}{" "}
          at sources that you may not see, and stay as they are.
        </p>
      )}
      <p className="dim small">
        {seen.length > 0 && chosen.length === 0
          ? "Nothing that runs now changes: only what is connected from now on runs the new version."
          : "It takes effect within 2 s; invocations under way end on the old version."}
      </p>
      <ErrorNote error={error} />
      <Group justify="flex-end" gap={8} mt={16}>
        <Button variant="default" onClick={onClose}>Cancel</Button>
        <Button
          onClick={() => onDeploy(every ? undefined : chosen.map((each) => each.id))}
          loading={busy}
          data-autofocus
        >
          {every ? word : `${word} to ${chosen.length} of ${seen.length + hidden}`}
        </Button>
      </Group>
    </Modal>
  );
}

function Row(
  { instance, next, there, checked, onCheck }: {
    instance: Instance;
    next: number | undefined;
    there: boolean;
    checked: boolean;
    onCheck: (checked: boolean) => void;
  },
) {
  const { at, sourceName, mayDeploy, enabled, version } = instance;
  const beside = [at !== sourceName && `of ${sourceName}`, !enabled && "disabled"].filter(Boolean).join(
    " · ",
  );
  return (
    <Checkbox
      checked={there || checked}
      disabled={there || !mayDeploy}
      onChange={(event) => onCheck(event.currentTarget.checked)}
      classNames={{ labelWrapper: css.wrapper }}
      label={
        <span className={css.row}>
          <span className={css.name}>
            <span className="cut">{at}</span>
            {beside && <span className="dim small cut">{beside}</span>}
            {!mayDeploy && <span className="dim small">takes Source Admin for {sourceName}</span>}
          </span>
          <span className={`${css.versions} num`}>
            v{version.number}
            {there ? " already" : checked && next ? ` → v${next}` : " stays"}
          </span>
        </span>
      }
    />
  );
}
