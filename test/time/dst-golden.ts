import type { TimeOptions } from "../../src/handler.ts";

/*
 * What happens when clocks change, written by hand from the rule in docs/time.md and from the published dates of the
 * changes, never from the code under test. A run is what the wall shows, with the offset from UTC: `03-08 03:00 -04`.
 */

/** One line of the table: a schedule, and every run it has in the days or in the hours about the change. */
export interface Row {
  readonly schedule: TimeOptions;
  readonly within: "days" | "hours";
  readonly runs: string;
}

/** One change of one zone. */
export interface Change {
  readonly zone: string;
  readonly year: number;
  /** What the clocks do, for people. */
  readonly what: string;
  /** The first run shows nothing before the first of these, the last nothing from the second on. */
  readonly days: readonly [from: string, to: string];
  readonly hours: readonly [from: string, to: string];
  readonly rows: readonly Row[];
}

const days = (schedule: TimeOptions, ...runs: string[]): Row => ({
  schedule,
  within: "days",
  runs: runs.join(", "),
});
const hours = (schedule: TimeOptions, ...runs: string[]): Row => ({
  schedule,
  within: "hours",
  runs: runs.join(", "),
});

/** Runs of one day and offset: `at("03-08", "-04", "03:00", "03:15")`. */
const at = (day: string, offset: string, ...times: string[]): string =>
  times.map((time) => `${day} ${time} ${offset}`).join(", ");

const HOURLY = { every: "1h" } as const;
const DAILY = { every: "1d" } as const;
const cron = (line: string): TimeOptions => ({ cron: line });

export const CHANGES: readonly Change[] = [
  {
    zone: "America/New_York",
    year: 2026,
    what: "03-08 02:00 → 03:00",
    days: ["03-07 00:00 -05", "03-10 00:00 -04"],
    hours: ["03-08 01:00 -05", "03-08 04:00 -04"],
    rows: [
      hours(HOURLY, at("03-08", "-05", "01:00"), at("03-08", "-04", "03:00")),
      days(DAILY, at("03-07", "-05", "19:00"), at("03-08", "-04", "20:00"), at("03-09", "-04", "20:00")),
      days(
        cron("@daily"),
        at("03-07", "-05", "00:00"),
        at("03-08", "-05", "00:00"),
        at("03-09", "-04", "00:00"),
      ),
      hours(cron("@hourly"), at("03-08", "-05", "01:00"), at("03-08", "-04", "03:00")),
      hours(
        cron("*/15 * * * *"),
        at("03-08", "-05", "01:00", "01:15", "01:30", "01:45"),
        at("03-08", "-04", "03:00", "03:15", "03:30", "03:45"),
      ),
      // 02:30 does not exist: its run comes when the gap ends.
      days(
        cron("30 2 * * *"),
        at("03-07", "-05", "02:30"),
        at("03-08", "-04", "03:00"),
        at("03-09", "-04", "02:30"),
      ),
      days(
        cron("30 2,14 * * *"),
        at("03-07", "-05", "02:30", "14:30"),
        at("03-08", "-04", "03:00", "14:30"),
        at("03-09", "-04", "02:30", "14:30"),
      ),
      // 02:00, 02:20 and 02:40 do not exist: three times that meet at one moment are one run.
      days(
        cron("0,20,40 2 * * *"),
        at("03-07", "-05", "02:00", "02:20", "02:40"),
        at("03-08", "-04", "03:00"),
        at("03-09", "-04", "02:00", "02:20", "02:40"),
      ),
      // Minutes with a step run in real time, and that hour never passes.
      days(cron("*/30 2 * * *"), at("03-07", "-05", "02:00", "02:30"), at("03-09", "-04", "02:00", "02:30")),
    ],
  },
  {
    zone: "America/New_York",
    year: 2026,
    what: "11-01 02:00 → 01:00",
    days: ["10-31 00:00 -04", "11-03 00:00 -05"],
    hours: ["11-01 00:00 -04", "11-01 03:00 -05"],
    rows: [
      hours(HOURLY, at("11-01", "-04", "00:00", "01:00"), at("11-01", "-05", "01:00", "02:00")),
      days(DAILY, at("10-31", "-04", "20:00"), at("11-01", "-05", "19:00"), at("11-02", "-05", "19:00")),
      days(
        cron("@daily"),
        at("10-31", "-04", "00:00"),
        at("11-01", "-04", "00:00"),
        at("11-02", "-05", "00:00"),
      ),
      hours(cron("@hourly"), at("11-01", "-04", "00:00", "01:00"), at("11-01", "-05", "01:00", "02:00")),
      hours(
        cron("*/30 * * * *"),
        at("11-01", "-04", "00:00", "00:30", "01:00", "01:30"),
        at("11-01", "-05", "01:00", "01:30", "02:00", "02:30"),
      ),
      // 01:30 comes twice: the first time counts.
      days(
        cron("30 1 * * *"),
        at("10-31", "-04", "01:30"),
        at("11-01", "-04", "01:30"),
        at("11-02", "-05", "01:30"),
      ),
      days(
        cron("30 1,13 * * *"),
        at("10-31", "-04", "01:30", "13:30"),
        at("11-01", "-04", "01:30"),
        at("11-01", "-05", "13:30"),
        at("11-02", "-05", "01:30", "13:30"),
      ),
      days(
        cron("*/30 1 * * *"),
        at("10-31", "-04", "01:00", "01:30"),
        at("11-01", "-04", "01:00", "01:30"),
        at("11-01", "-05", "01:00", "01:30"),
        at("11-02", "-05", "01:00", "01:30"),
      ),
    ],
  },
  {
    zone: "Australia/Melbourne",
    year: 2026,
    what: "10-04 02:00 → 03:00",
    days: ["10-03 00:00 +10", "10-06 00:00 +11"],
    hours: ["10-04 01:00 +10", "10-04 04:00 +11"],
    rows: [
      hours(HOURLY, at("10-04", "+10", "01:00"), at("10-04", "+11", "03:00")),
      days(DAILY, at("10-03", "+10", "10:00"), at("10-04", "+11", "11:00"), at("10-05", "+11", "11:00")),
      days(
        cron("@daily"),
        at("10-03", "+10", "00:00"),
        at("10-04", "+10", "00:00"),
        at("10-05", "+11", "00:00"),
      ),
      hours(cron("@hourly"), at("10-04", "+10", "01:00"), at("10-04", "+11", "03:00")),
      hours(
        cron("*/15 * * * *"),
        at("10-04", "+10", "01:00", "01:15", "01:30", "01:45"),
        at("10-04", "+11", "03:00", "03:15", "03:30", "03:45"),
      ),
      days(
        cron("30 2 * * *"),
        at("10-03", "+10", "02:30"),
        at("10-04", "+11", "03:00"),
        at("10-05", "+11", "02:30"),
      ),
    ],
  },
  {
    zone: "Australia/Melbourne",
    year: 2026,
    what: "04-05 03:00 → 02:00",
    days: ["04-04 00:00 +11", "04-07 00:00 +10"],
    hours: ["04-05 01:00 +11", "04-05 04:00 +10"],
    rows: [
      hours(HOURLY, at("04-05", "+11", "01:00", "02:00"), at("04-05", "+10", "02:00", "03:00")),
      days(DAILY, at("04-04", "+11", "11:00"), at("04-05", "+10", "10:00"), at("04-06", "+10", "10:00")),
      days(
        cron("@daily"),
        at("04-04", "+11", "00:00"),
        at("04-05", "+11", "00:00"),
        at("04-06", "+10", "00:00"),
      ),
      hours(cron("@hourly"), at("04-05", "+11", "01:00", "02:00"), at("04-05", "+10", "02:00", "03:00")),
      hours(
        cron("*/30 * * * *"),
        at("04-05", "+11", "01:00", "01:30", "02:00", "02:30"),
        at("04-05", "+10", "02:00", "02:30", "03:00", "03:30"),
      ),
      days(
        cron("30 2 * * *"),
        at("04-04", "+11", "02:30"),
        at("04-05", "+11", "02:30"),
        at("04-06", "+10", "02:30"),
      ),
    ],
  },
  {
    zone: "Australia/Lord_Howe",
    year: 2026,
    what: "10-04 02:00 → 02:30",
    days: ["10-03 00:00 +10:30", "10-06 00:00 +11"],
    hours: ["10-04 01:00 +10:30", "10-04 04:00 +11"],
    rows: [
      // Aligned to UTC: at half past before the change, at the full hour after it.
      hours(HOURLY, at("10-04", "+10:30", "01:30"), at("10-04", "+11", "03:00")),
      days(DAILY, at("10-03", "+10:30", "10:30"), at("10-04", "+11", "11:00"), at("10-05", "+11", "11:00")),
      days(
        cron("@daily"),
        at("10-03", "+10:30", "00:00"),
        at("10-04", "+10:30", "00:00"),
        at("10-05", "+11", "00:00"),
      ),
      // 02:00 does not exist: an hour and a half lies between the two.
      hours(cron("@hourly"), at("10-04", "+10:30", "01:00"), at("10-04", "+11", "03:00")),
      hours(
        cron("*/15 * * * *"),
        at("10-04", "+10:30", "01:00", "01:15", "01:30", "01:45"),
        at("10-04", "+11", "02:30", "02:45", "03:00", "03:15", "03:30", "03:45"),
      ),
      days(
        cron("15 2 * * *"),
        at("10-03", "+10:30", "02:15"),
        at("10-04", "+11", "02:30"),
        at("10-05", "+11", "02:15"),
      ),
      // 02:15 does not exist and meets 02:30, which does: one run.
      days(
        cron("15,30,45 2 * * *"),
        at("10-03", "+10:30", "02:15", "02:30", "02:45"),
        at("10-04", "+11", "02:30", "02:45"),
        at("10-05", "+11", "02:15", "02:30", "02:45"),
      ),
    ],
  },
  {
    zone: "Australia/Lord_Howe",
    year: 2026,
    what: "04-05 02:00 → 01:30",
    days: ["04-04 00:00 +11", "04-07 00:00 +10:30"],
    hours: ["04-05 01:00 +11", "04-05 03:00 +10:30"],
    rows: [
      hours(HOURLY, at("04-05", "+11", "01:00"), at("04-05", "+10:30", "01:30", "02:30")),
      days(
        DAILY,
        at("04-04", "+11", "11:00"),
        at("04-05", "+10:30", "10:30"),
        at("04-06", "+10:30", "10:30"),
      ),
      days(
        cron("@daily"),
        at("04-04", "+11", "00:00"),
        at("04-05", "+11", "00:00"),
        at("04-06", "+10:30", "00:00"),
      ),
      hours(cron("@hourly"), at("04-05", "+11", "01:00"), at("04-05", "+10:30", "02:00")),
      hours(
        cron("*/15 * * * *"),
        at("04-05", "+11", "01:00", "01:15", "01:30", "01:45"),
        at("04-05", "+10:30", "01:30", "01:45", "02:00", "02:15", "02:30", "02:45"),
      ),
      days(
        cron("45 1 * * *"),
        at("04-04", "+11", "01:45"),
        at("04-05", "+11", "01:45"),
        at("04-06", "+10:30", "01:45"),
      ),
    ],
  },
  {
    zone: "Africa/Cairo",
    year: 2026,
    what: "04-24 00:00 → 01:00",
    days: ["04-23 00:00 +02", "04-26 00:00 +03"],
    hours: ["04-23 23:00 +02", "04-24 02:00 +03"],
    rows: [
      hours(HOURLY, at("04-23", "+02", "23:00"), at("04-24", "+03", "01:00")),
      days(DAILY, at("04-23", "+02", "02:00"), at("04-24", "+03", "03:00"), at("04-25", "+03", "03:00")),
      // The day has no midnight, and keeps its run.
      days(
        cron("@daily"),
        at("04-23", "+02", "00:00"),
        at("04-24", "+03", "01:00"),
        at("04-25", "+03", "00:00"),
      ),
      hours(cron("@hourly"), at("04-23", "+02", "23:00"), at("04-24", "+03", "01:00")),
      hours(
        cron("*/15 * * * *"),
        at("04-23", "+02", "23:00", "23:15", "23:30", "23:45"),
        at("04-24", "+03", "01:00", "01:15", "01:30", "01:45"),
      ),
      days(
        cron("30 0 * * *"),
        at("04-23", "+02", "00:30"),
        at("04-24", "+03", "01:00"),
        at("04-25", "+03", "00:30"),
      ),
      // The rule for days is kept: the 24th is a Friday.
      days(cron("0 0 * * FRI"), at("04-24", "+03", "01:00")),
    ],
  },
  {
    zone: "Africa/Cairo",
    year: 2026,
    what: "10-30 00:00 → 10-29 23:00",
    days: ["10-28 00:00 +03", "10-31 00:00 +02"],
    hours: ["10-29 22:00 +03", "10-30 01:00 +02"],
    rows: [
      hours(
        HOURLY,
        at("10-29", "+03", "22:00", "23:00"),
        at("10-29", "+02", "23:00"),
        at("10-30", "+02", "00:00"),
      ),
      days(DAILY, at("10-28", "+03", "03:00"), at("10-29", "+03", "03:00"), at("10-30", "+02", "02:00")),
      days(
        cron("@daily"),
        at("10-28", "+03", "00:00"),
        at("10-29", "+03", "00:00"),
        at("10-30", "+02", "00:00"),
      ),
      hours(
        cron("@hourly"),
        at("10-29", "+03", "22:00", "23:00"),
        at("10-29", "+02", "23:00"),
        at("10-30", "+02", "00:00"),
      ),
      hours(
        cron("*/30 * * * *"),
        at("10-29", "+03", "22:00", "22:30", "23:00", "23:30"),
        at("10-29", "+02", "23:00", "23:30"),
        at("10-30", "+02", "00:00", "00:30"),
      ),
      days(
        cron("30 23 * * *"),
        at("10-28", "+03", "23:30"),
        at("10-29", "+03", "23:30"),
        at("10-30", "+02", "23:30"),
      ),
    ],
  },
  {
    zone: "Pacific/Apia",
    year: 2011,
    what: "12-29 24:00 → 12-31 00:00",
    days: ["12-28 00:00 -10", "12-31 24:00 +14"],
    hours: ["12-29 22:00 -10", "12-31 02:00 +14"],
    rows: [
      hours(HOURLY, at("12-29", "-10", "22:00", "23:00"), at("12-31", "+14", "00:00", "01:00")),
      // Midnight UTC: real days go on, whatever the calendar of the zone says.
      days(DAILY, at("12-28", "-10", "14:00"), at("12-29", "-10", "14:00"), at("12-31", "+14", "14:00")),
      // There is no 30th, so nothing runs on it.
      days(
        cron("@daily"),
        at("12-28", "-10", "00:00"),
        at("12-29", "-10", "00:00"),
        at("12-31", "+14", "00:00"),
      ),
      hours(cron("@hourly"), at("12-29", "-10", "22:00", "23:00"), at("12-31", "+14", "00:00", "01:00")),
      hours(
        cron("*/30 * * * *"),
        at("12-29", "-10", "22:00", "22:30", "23:00", "23:30"),
        at("12-31", "+14", "00:00", "00:30", "01:00", "01:30"),
      ),
      days(
        cron("30 12 * * *"),
        at("12-28", "-10", "12:30"),
        at("12-29", "-10", "12:30"),
        at("12-31", "+14", "12:30"),
      ),
      days(cron("30 12 30 12 *")),
    ],
  },
  {
    zone: "Asia/Shanghai",
    year: 2026,
    what: "–",
    days: ["03-07 00:00 +08", "03-10 00:00 +08"],
    hours: ["03-08 01:00 +08", "03-08 04:00 +08"],
    rows: [
      hours(HOURLY, at("03-08", "+08", "01:00", "02:00", "03:00")),
      days(DAILY, at("03-07", "+08", "08:00"), at("03-08", "+08", "08:00"), at("03-09", "+08", "08:00")),
      days(
        cron("@daily"),
        at("03-07", "+08", "00:00"),
        at("03-08", "+08", "00:00"),
        at("03-09", "+08", "00:00"),
      ),
      hours(cron("@hourly"), at("03-08", "+08", "01:00", "02:00", "03:00")),
      days(
        cron("30 2 * * *"),
        at("03-07", "+08", "02:30"),
        at("03-08", "+08", "02:30"),
        at("03-09", "+08", "02:30"),
      ),
    ],
  },
];

/** How a schedule is written in the table. */
export function scheduleText({ every, cron }: TimeOptions): string {
  return String(cron ?? `every: ${JSON.stringify(every)}`);
}

/** The schedule in a zone; intervals have none. */
export function inZone(schedule: TimeOptions, timezone: string): TimeOptions {
  return schedule.every === undefined ? { ...schedule, timezone } : schedule;
}

/** The runs of a row, one by one. */
export function listed(runs: string): string[] {
  return runs === "" ? [] : runs.split(", ");
}

/** The moment of `03-08 03:00 -04`. */
export function momentOf({ year }: Change, text: string): number {
  const [day, time, offset = ""] = text.split(" ");
  return Date.parse(`${year}-${day}T${time}:00${offset.includes(":") ? offset : `${offset}:00`}`);
}
