/** When a mapping is meant: conditions one by one, and the same as text; either can be changed. */
import {
  ActionIcon,
  Autocomplete,
  Button,
  NumberInput,
  SegmentedControl,
  Select,
  Textarea,
  TextInput,
} from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { call } from "~/api/client.ts";
import type { SubjectView, TriggerForm } from "~/api/generated.ts";
import { TYPES } from "../destinations/event.ts";
import { usePicking } from "./picking.ts";
import css from "./Trigger.module.css";
import value from "./Value.module.css";
import { type Condition, useTrigger } from "./trigger.ts";

const NAMES: Record<string, string> = {
  "event-type": "Event type",
  event: "Event name",
  name: "Page or screen name",
  userId: "User ID",
  "event-property": "Property",
  "event-trait": "Trait",
  "event-context": "Context",
};
const ROOTS: Record<string, string> = {
  "event-property": "properties.",
  "event-trait": "traits.",
  "event-context": "context.",
};

export function Trigger(
  { trigger, onChange, onProblem = () => {}, error, eventNames, label = "Trigger", wider = false }: {
    trigger: string;
    onChange: (trigger: string) => void;
    /** Told what is wrong with what is in the form or the text; undefined if nothing is. */
    onProblem?: (problem: string | undefined) => void;
    error?: string;
    /** Names of events that have come. */
    eventNames: string[];
    label?: string;
    /** Filters can say more than triggers: what no trigger says is no mistake then. */
    wider?: boolean;
  },
) {
  const { disabled } = usePicking();
  const { data: offered } = useQuery({
    queryKey: ["getTriggerForm"],
    queryFn: async () => (await call("getTriggerForm")).form,
    staleTime: Infinity,
  });
  const { form, problem: found, write } = useTrigger(trigger, onChange, offered);
  const problem = wider && found?.position !== undefined ? undefined : found;
  const wrong = problem?.message ?? error;
  useEffect(() => onProblem(problem?.message), [problem]);
  return (
    <div className={`panel ${css.panel}`}>
      {form && offered && (
        <>
          {form.conditions.length > 1 && (
            <SegmentedControl
              size="xs"
              aria-label="How many of the conditions must hold"
              disabled={disabled}
              value={form.match}
              onChange={(match) => write({ ...form, match: match as "all" | "any" })}
              data={[{ value: "all", label: "All of these" }, { value: "any", label: "Any of these" }]}
              style={{ alignSelf: "start" }}
            />
          )}
          <div className={css.conditions}>
            {form.conditions.map((each, at) => (
              <ConditionRow
                key={at}
                condition={each}
                offered={offered}
                eventNames={eventNames}
                only={form.conditions.length === 1}
                onChange={(next) => write({ ...form, conditions: form.conditions.with(at, next) })}
                onRemove={() => write({ ...form, conditions: form.conditions.toSpliced(at, 1) })}
              />
            ))}
          </div>
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={<IconPlus size={14} />}
            disabled={disabled}
            style={{ alignSelf: "start" }}
            onClick={() =>
              write({
                ...form,
                conditions: [...form.conditions, { type: "event", operator: "=", value: "" }],
              })}
          >
            Add condition
          </Button>
        </>
      )}
      {!form && offered && !problem && (
        <p className="dim small" style={{ margin: 0 }}>
          {trigger.trim() === "all"
            ? "All events."
            : "This says more than conditions in a row can: change it as text."}
        </p>
      )}
      {!form && wider && trigger.trim() === "all" && (
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<IconPlus size={14} />}
          disabled={disabled}
          style={{ alignSelf: "start" }}
          onClick={() => onChange('event = ""')}
        >
          Add condition
        </Button>
      )}
      <Textarea
        label={<span className="dim small">As FQL</span>}
        aria-label={`${label} as FQL`}
        autosize
        minRows={1}
        disabled={disabled}
        value={trigger}
        onChange={(event) => onChange(event.currentTarget.value)}
        error={wrong && (problem?.position === undefined
          ? wrong
          : `${wrong.charAt(0).toUpperCase()}${wrong.slice(1)} (at character ${problem.position + 1})`)}
        classNames={{ input: value.code }}
      />
    </div>
  );
}

function ConditionRow({ condition, offered, eventNames, only, onChange, onRemove }: {
  condition: Condition;
  offered: TriggerForm;
  eventNames: string[];
  only: boolean;
  onChange: (condition: Condition) => void;
  onRemove: () => void;
}) {
  const { variables, disabled } = usePicking();
  const subject = offered.subjects.find((each) => each.subject === condition.type)!;
  const operator = subject.operators.find((each) => each.operator === condition.operator)!;
  const root = ROOTS[condition.type];
  const inEvent = root ? variables.filter((each) => each.path.startsWith(root)) : [];
  const sample = inEvent.find((each) => each.path === `${root}${condition.name}`)?.value;
  return (
    <div className={css.condition} data-named={subject.named || undefined}>
      <Select
        aria-label="What is compared"
        disabled={disabled}
        value={condition.type}
        onChange={(type) =>
          type && onChange(fitting({ ...condition, type: type as Condition["type"] }, offered))}
        data={offered.subjects.map((each) => ({
          value: each.subject,
          label: NAMES[each.subject] ?? each.subject,
        }))}
      />
      {subject.named && (
        <Autocomplete
          aria-label={`Which ${NAMES[condition.type]!.toLowerCase()}`}
          placeholder="name"
          disabled={disabled}
          value={condition.name ?? ""}
          onChange={(name) => onChange({ ...condition, name })}
          data={inEvent.map((each) => each.path.slice(root!.length)).filter((each) => !/[[\]']/.test(each))}
          limit={100}
          classNames={{ input: value.code }}
        />
      )}
      <Select
        aria-label="How"
        disabled={disabled}
        value={condition.operator}
        onChange={(next) => next && onChange(fitting({ ...condition, operator: next }, offered))}
        data={subject.operators.map((each) => ({ value: each.operator, label: each.label }))}
      />
      {operator.value === "none" ? <span /> : operator.value === "number"
        ? (
          <NumberInput
            aria-label="With what"
            placeholder="a number"
            disabled={disabled}
            value={typeof condition.value === "number" ? condition.value : ""}
            onChange={(value) => onChange({ ...condition, value: value === "" ? null : Number(value) })}
          />
        )
        : condition.type === "event-type"
        ? (
          <Select
            aria-label="With what"
            disabled={disabled}
            value={String(condition.value ?? "")}
            onChange={(value) => value && onChange({ ...condition, value })}
            data={TYPES}
          />
        )
        : condition.type === "event"
        ? (
          <Autocomplete
            aria-label="With what"
            placeholder="a name"
            disabled={disabled}
            value={String(condition.value ?? "")}
            onChange={(value) => onChange({ ...condition, value })}
            data={eventNames}
          />
        )
        : (
          <TextInput
            aria-label="With what"
            placeholder={typeof sample === "string" ? sample : "a text"}
            disabled={disabled}
            value={String(condition.value ?? "")}
            onChange={(event) => onChange({ ...condition, value: event.currentTarget.value })}
          />
        )}
      <ActionIcon size={32} aria-label="Remove condition" disabled={disabled || only} onClick={onRemove}>
        <IconX size={14} />
      </ActionIcon>
    </div>
  );
}

/** The condition with an operator that its subject has, and a value such as that compares with. */
function fitting(condition: Condition, offered: TriggerForm): Condition {
  const subject: SubjectView = offered.subjects.find((each) => each.subject === condition.type)!;
  const operator = subject.operators.find((each) => each.operator === condition.operator) ??
    subject.operators[0]!;
  const { type, name, value } = condition;
  const kept = operator.value === "text" ? String(value ?? "") : Number(value) || 0;
  return {
    type,
    operator: operator.operator,
    ...(subject.named ? { name: name ?? "" } : {}),
    ...(operator.value === "none"
      ? {}
      : { value: type === "event-type" && !TYPES.includes(String(kept)) ? "track" : kept }),
  };
}
