import { zoneOf } from "./zone.ts";

/*
 * Wall time as text: what a clock on the wall of some zone shows, and which moment that is.
 */

/** Whether the runtime knows a zone of this name. */
export function isTimezone(name: string): boolean {
  return name === "UTC" || zoneOf(name) !== undefined;
}

const TEXT =
  /^(?<day>\d{4}-\d{2}-\d{2})(?:[T ](?<time>\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(?<offset>Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * The moment that a text names: `"2026-11-22T09:00:00+08:00"`, or without an offset as the clocks of `timezone` show it.
 * A time that those clocks skip means the same distance after the skip; one that they show twice means the first.
 *
 * @returns Milliseconds since 1970, or undefined when the text names no moment.
 */
export function momentOf(text: string, timezone: string): number | undefined {
  const { day, time = "00:00", offset } = TEXT.exec(text.trim())?.groups ?? {};
  if (day === undefined) return undefined;
  const wall = Date.parse(`${day}T${time}Z`);
  // The parser takes the 30th of February for the 2nd of March.
  if (Number.isNaN(wall) || !new Date(wall).toISOString().startsWith(day)) return undefined;
  if (offset === undefined) return fromWall(wall, timezone);
  const parsed = Date.parse(`${day}T${time}${offset}`);
  return Number.isNaN(parsed) ? undefined : parsed;
}

const DAY = 86_400_000;

/** `wall` is what the wall's clock shows, written as if it were UTC. */
function fromWall(wall: number, timezone: string): number {
  const zone = timezone === "UTC" ? undefined : zoneOf(timezone);
  if (!zone) return wall;
  // Zones change their offset less than once a day, so one of these two is in force at the moment looked for.
  const before = wall - zone.offsetAt(wall - DAY);
  const after = wall - zone.offsetAt(wall + DAY);
  const real = [before, after].filter((moment) => moment + zone.offsetAt(moment) === wall);
  return real.length > 0 ? Math.min(...real) : before;
}
