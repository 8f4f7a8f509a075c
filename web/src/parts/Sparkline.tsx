/** A rate's recent course, as small as a word. */
export function Sparkline(
  { values, width = 64, height = 20, colour = "var(--accent)" }: {
    values: number[];
    width?: number;
    height?: number;
    colour?: string;
  },
) {
  const top = Math.max(...values, 1e-9);
  const step = width / Math.max(values.length - 1, 1);
  const points = values.map((each, at) =>
    `${(at * step).toFixed(1)},${(height - 1 - (each / top) * (height - 3)).toFixed(1)}`
  );
  return (
    <svg
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      aria-hidden
      style={{ display: "block" }}
    >
      {values.length > 1 && (
        <>
          <polygon
            points={`0,${height} ${points.join(" ")} ${width},${height}`}
            fill={colour}
            opacity={0.12}
          />
          <polyline
            points={points.join(" ")}
            fill="none"
            stroke={colour}
            strokeWidth={1.5}
            strokeLinejoin="round"
          />
        </>
      )}
    </svg>
  );
}
