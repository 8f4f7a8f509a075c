/** Destinations to choose from: what each is called, what for, and which events it takes. */
import { Link } from "@tanstack/react-router";
import type { ChartsAnswer } from "~/api/generated.ts";
import { Monogram } from "~/parts/Monogram.tsx";
import css from "./Catalogue.module.css";

export function Cards({ charts, to }: {
  charts: ChartsAnswer;
  /** Where a choice leads. */
  to: (slug: string) => { to: string; search?: Record<string, string> };
}) {
  const categories = new Map<string, string[]>();
  for (const { category, destinations } of charts.categories) {
    for (const { slug } of destinations) categories.set(slug, [...categories.get(slug) ?? [], category]);
  }
  return (
    <ul className={css.cards}>
      {charts.methods.map((each) => {
        const place = to(each.slug);
        return (
          <li key={each.slug}>
            <Link to={place.to} search={place.search as never} className={css.card}>
              <Monogram name={each.name} size={32} />
              <span className={css.about}>
                <span className={css.name}>
                  <span className="cut">{each.name}</span>
                  {each.status !== "PUBLIC" && <span className={css.status}>{statusWord(each.status)}</span>}
                </span>
                <span className="dim small cut">
                  {categories.get(each.slug)?.join(", ") || "Other"}
                </span>
              </span>
            </Link>
          </li>
        );
      })}
    </ul>
  );
}

export function statusWord(status: string): string {
  return status.startsWith("PRIVATE")
    ? "Private"
    : status.includes("BETA")
    ? "Beta"
    : status === "DEPRECATED"
    ? "Old"
    : "";
}
