/** Which roles there are, and what each may. */
import { useAll } from "~/api/hooks.ts";
import { ErrorNote } from "~/parts/ErrorNote.tsx";
import css from "./Roles.module.css";

export default function Roles() {
  const { items, error } = useAll("listRoles", {});
  return (
    <>
      <ErrorNote error={error} />
      {items && (
        <dl className={`panel ${css.roles}`}>
          {items.map((each) => (
            <div key={each.id}>
              <dt>{each.name}</dt>
              <dd>{each.description}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  );
}
