/** A trigger as text and as a form of conditions, each made from the other by the server as one types. */
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import { call } from "~/api/client.ts";
import type { GivenCondition, TriggerForm } from "~/api/generated.ts";

export type Condition = GivenCondition;

export interface Form {
  match: "all" | "any";
  conditions: Condition[];
}

interface Tree {
  type: string;
  operator: string;
  children?: Tree[];
  value?: Condition["value"];
  name?: string;
}

const PATIENCE = 200;

export function useTrigger(
  trigger: string,
  onChange: (trigger: string) => void,
  offered: TriggerForm | undefined,
) {
  const [form, setForm] = useState<Form>();
  const [problem, setProblem] = useState<{ message: string; position?: number }>();
  /** The trigger that the form as it is has made. */
  const made = useRef<string>(undefined);
  const asked = useRef(0);

  useEffect(() => {
    if (!offered) return;
    if (trigger === made.current) { // typed back to what the form says
      asked.current++;
      setProblem(undefined);
      return;
    }
    const mine = ++asked.current;
    const timer = setTimeout(async () => {
      const { ast, error } = await call("previewTrigger", { body: { trigger, payload: {} } });
      if (mine !== asked.current) return;
      setProblem(error ?? undefined);
      if (!ast) {
        setForm((before) => trigger.trim() === "all" ? undefined : before);
        return;
      }
      setForm(formOf(ast as unknown as Tree, offered));
      made.current = trigger;
    }, made.current === undefined ? 0 : PATIENCE);
    return () => clearTimeout(timer);
  }, [trigger, offered]);

  const generate = useDebouncedCallback(async (next: Form) => {
    const mine = ++asked.current;
    const { generated } = await call("generateTrigger", { body: next });
    if (mine !== asked.current) return;
    setProblem(generated.error ? { message: generated.error } : undefined);
    if (generated.trigger === null) return;
    made.current = generated.trigger;
    onChange(generated.trigger);
  }, PATIENCE);

  return {
    /** Undefined where the text says what a form can't. */
    form,
    problem,
    write: (next: Form) => {
      setForm(next);
      generate(next);
    },
  };
}

function formOf(tree: Tree, offered: TriggerForm): Form | undefined {
  const children = tree.children ?? [];
  const sayable = children.every((each) => {
    const subject = offered.subjects.find(({ subject }) => subject === each.type);
    return subject?.operators.some(({ operator }) => operator === each.operator);
  });
  if (!sayable || !children.length) return undefined;
  return {
    match: tree.operator === "or" ? "any" : "all",
    conditions: children.map(({ type, operator, value, name }) => ({
      type: type as Condition["type"],
      operator,
      ...(value === undefined ? {} : { value }),
      ...(name === undefined ? {} : { name }),
    })),
  };
}
