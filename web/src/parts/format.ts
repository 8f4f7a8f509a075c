/** How numbers, sizes and times are written, everywhere. */

const whole = new Intl.NumberFormat("en");
// Made once: making one takes longer than all that it will ever do.
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const tenth = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** 1,204,113 */
export function count(value: number): string {
  return whole.format(value);
}

/** 0.4/s, 12/s, 1,240/s; a rate of nothing is a dash. */
export function rate(perSecond: number): string {
  if (perSecond <= 0) return "–";
  if (perSecond < 0.1) return `${tenth.format(perSecond * 60)}/min`;
  return `${perSecond < 10 ? tenth.format(perSecond) : whole.format(Math.round(perSecond))}/s`;
}

/** 99.98 %; never rounded up to a whole that it is not. */
export function percent(share: number): string {
  const value = share * 100;
  const cut = value > 99.99 && value < 100 ? 99.99 : value;
  return `${new Intl.NumberFormat("en", { maximumFractionDigits: 2 }).format(cut)} %`;
}

/** 320 B, 1.2 MB */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${tenth.format(value)} ${units[unit]}`;
}

/** 41 ms, 1.2 s, 4 min, 3 h, 2 d */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${tenth.format(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${tenth.format(ms / 3_600_000)} h`;
  return `${tenth.format(ms / 86_400_000)} d`;
}

/** "3 s ago", "in 4 min", "12 Nov" */
export function ago(at: number, now: number): string {
  const apart = Math.abs(now - at);
  if (apart < 1000) return "now";
  if (apart > 7 * 86_400_000) {
    const year = new Date(at).getFullYear() === new Date(now).getFullYear() ? undefined : "numeric";
    return new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short", year });
  }
  const words = apart < 60_000 ? `${Math.floor(apart / 1000)} s` : roughly(apart);
  return at > now ? `in ${words}` : `${words} ago`;
}

function roughly(ms: number): string {
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`;
  return `${Math.floor(ms / 86_400_000)} d`;
}

/** 14:02:31.123 */
export function clock(date: Date): string {
  return `${time.format(date)}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** 12 Nov 2026, 14:02:31.123 */
export function absolute(at: number): string {
  const date = new Date(at);
  return `${day.format(date)}, ${clock(date)}`;
}
