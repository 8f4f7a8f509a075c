/**
 * A table of any length: only the rows in sight are in the page. Rows open by click or Enter, ↑ and ↓ go on.
 * Columns marked `wide` are left out on narrow screens.
 */
import { VisuallyHidden } from "@mantine/core";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useLayoutEffect, useRef, useState } from "react";
import css from "./DataTable.module.css";
import { stepThrough } from "./rows.ts";

export interface Column<Row> {
  key: string;
  head: ReactNode;
  cell: (row: Row) => ReactNode;
  /** A track of CSS grid: "120px", "minmax(0, 2fr)" (by default 1fr). */
  width?: string;
  align?: "right";
  wide?: boolean;
}

export function DataTable<Row>(
  { columns, rows, rowKey, label, onOpen, open, rowHeight = 44, onEnd }: {
    columns: Column<Row>[];
    rows: Row[];
    rowKey: (row: Row) => string;
    /** What it lists, for who can't see it. */
    label: string;
    onOpen?: (row: Row) => void;
    /** Key of the row that is open beside. */
    open?: string;
    rowHeight?: number;
    /** Called when the last row comes into sight. */
    onEnd?: () => void;
  },
) {
  const body = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => setMargin(body.current?.offsetTop ?? 0), []);
  const list = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => rowHeight,
    overscan: 12,
    scrollMargin: margin,
    getItemKey: (at) => rowKey(rows[at]!),
    onChange: (each) => {
      const last = each.getVirtualItems().at(-1);
      if (onEnd && last && last.index >= rows.length - 1) onEnd();
    },
  });
  const tracks = (narrow: boolean) =>
    columns.filter((each) => !(narrow && each.wide)).map((each) => each.width ?? "minmax(0, 1fr)").join(" ");
  const style = {
    "--tracks": tracks(false),
    "--narrow": tracks(true),
    "--row": `${rowHeight}px`,
  } as React.CSSProperties;
  return (
    <div className={css.table} role="table" aria-label={label} aria-rowcount={rows.length + 1} style={style}>
      <div role="rowgroup">
        <div className={css.head} role="row">
          {columns.map((each) => (
            <div
              key={each.key}
              role="columnheader"
              className={css.cell}
              data-align={each.align}
              data-wide={each.wide}
            >
              {each.head || <VisuallyHidden>What can be done</VisuallyHidden>}
            </div>
          ))}
        </div>
      </div>
      <div
        ref={body}
        role="rowgroup"
        className={css.body}
        style={{ height: list.getTotalSize() }}
        onKeyDown={stepThrough}
      >
        {list.getVirtualItems().map((item) => {
          const row = rows[item.index]!;
          const act = onOpen && {
            tabIndex: 0,
            onClick: () =>
              onOpen(row),
            onKeyDown: (event: KeyboardEvent) => {
              if (event.key === "Enter" && event.target === event.currentTarget) {
                onOpen(row);
              }
            },
          };
          return (
            <div
              key={item.key}
              role="row"
              aria-rowindex={item.index + 2}
              className={css.row}
              data-row
              data-opens={onOpen ? true : undefined}
              data-open={open === rowKey(row) || undefined}
              style={{ transform: `translateY(${item.start - margin}px)` }}
              {...act}
            >
              {columns.map((each) => (
                <div
                  key={each.key}
                  role="cell"
                  className={css.cell}
                  data-align={each.align}
                  data-wide={each.wide}
                >
                  {each.cell(row)}
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}
