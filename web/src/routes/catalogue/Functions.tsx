/** The workspace's own functions, in the catalogue beside what is ready-made. */
import { IconPlus } from "@tabler/icons-react";
import { IconCode } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useAll } from "~/api/hooks.ts";
import { useSession } from "~/api/session.ts";
import { EmptyState } from "~/parts/EmptyState.tsx";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import { LinkButton } from "~/parts/LinkButton.tsx";
import { Monogram } from "~/parts/Monogram.tsx";
import css from "./Catalogue.module.css";

export const KINDS: Record<string, string> = {
  DESTINATION: "Destination function",
  SOURCE: "Source function",
  INSERT_DESTINATION: "Insert function",
  INSERT_SOURCE: "Insert function of a source",
};

export function Functions() {
  const { may } = useSession();
  const { items, error, refetch } = useAll("listFunctions", {}, { enabled: may("function:read") });
  const build = may("function:write") && (
    <LinkButton to="/functions" leftSection={<IconPlus size={16} />}>New function</LinkButton>
  );
  return (
    <>
      <ErrorNote error={error} retry={refetch} />
      {(items?.length === 0 || !may("function:read")) && (
        <EmptyState icon={IconCode} title="No functions yet" action={build}>
          A function is a little code of your own: it sends events to a tool that is not in the catalogue,
          makes events of a webhook's requests, or changes events on their way to a destination.
        </EmptyState>
      )}
      {items && items.length > 0 && (
        <>
          <div className={css.bar}>
            <span className="dim">Of this workspace.</span>
            {build}
          </div>
          <ul className={css.cards}>
            {items.map((each) => (
              <li key={each.id}>
                <Link to="/functions/$functionId" params={{ functionId: each.id }} className={css.card}>
                  <Monogram name={each.displayName} size={32} />
                  <span className={css.about}>
                    <span className={css.name}>
                      <span className="cut">{each.displayName}</span>
                    </span>
                    <span className="dim small cut">{each.description || KINDS[each.resourceType]}</span>
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}
