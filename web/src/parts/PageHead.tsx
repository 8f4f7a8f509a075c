/** A page's title, where one is, what can be done here, and its tabs. */
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import css from "./PageHead.module.css";

export interface Tab {
  label: string;
  /** A path below the page, `to` of the router. */
  to: string;
}

export function PageHead(
  { title, mark, note, crumbs = [], actions, tabs }: {
    title: string;
    /** Before the title: a monogram or an icon. */
    mark?: ReactNode;
    /** After it: state chips and the like. */
    note?: ReactNode;
    crumbs?: { label: string; to: string }[];
    actions?: ReactNode;
    tabs?: Tab[];
  },
) {
  useEffect(() => {
    document.title = `${title} · Onward`;
  }, [title]);
  return (
    <header className={css.head}>
      {crumbs.length > 0 && (
        <nav className={css.crumbs} aria-label="Where this is">
          {crumbs.map((each) => <Link key={each.to} to={each.to}>{each.label}</Link>)}
        </nav>
      )}
      <div className={css.row}>
        <div className={css.title}>
          {mark}
          <h1 className="cut">{title}</h1>
          {note}
        </div>
        {actions && <div className={css.actions}>{actions}</div>}
      </div>
      {tabs && (
        <nav className={css.tabs} aria-label="Parts of this page">
          {tabs.map((each) => (
            <Link key={each.to} to={each.to} className={css.tab} activeProps={{ "aria-current": "page" }}>
              {each.label}
            </Link>
          ))}
        </nav>
      )}
    </header>
  );
}
