import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TimeOptions } from "../../src/handler.ts";
import { compileSchedule } from "../../src/time/schedule.ts";
import { type Change, CHANGES, inZone, listed, momentOf, type Row, scheduleText } from "./dst-golden.ts";
import { WallClock } from "./dst-oracle.ts";

/*
 * The table of what happens when clocks change. It is also the one in docs/time.md:
 * `UPDATE_DOCS=1 npx vitest run test/time/dst.test.ts` writes it there anew.
 */

const DAY = 86_400_000;

describe.each(CHANGES.map((change): [string, string, Change] => [change.zone, change.what, change]))(
  "%s, %s",
  (_, __, change) => {
    const [first, end] = change.days.map((text) => momentOf(change, text)) as [number, number];
    const clock = new WallClock(change.zone, first - DAY, end + DAY);

    test("what is expected is what the wall shows", () => {
      const texts = [...change.days, ...change.hours, ...change.rows.flatMap(({ runs }) => listed(runs))];
      for (const text of texts) {
        const wall = Date.parse(`${change.year}-${text.slice(0, 11).replace(" ", "T")}Z`);
        expect(clock.wallAt(momentOf(change, text))).toBe(wall);
      }
      // The change is there, and it is what the test takes it for.
      expect(clock.segments).toHaveLength(change.what === "–" ? 1 : 2);
    });

    test.each(change.rows.map((row): [string, Row] => [scheduleText(row.schedule), row]))(
      "%s",
      (___, row) => {
        const [from, to] = change[row.within].map((text) => momentOf(change, text)) as [number, number];
        const expected = listed(row.runs).map((text) => momentOf(change, text));
        expect(runsBetween(inZone(row.schedule, change.zone), from, to).map(shown)).toEqual(
          expected.map(shown),
        );
      },
    );
  },
);

test.each([
  ["docs/time.md", ["zone", "clocks", "task", "runs"]],
  ["docs/zh-CN/time.md", ["时区", "时钟", "任务", "运行"]],
] as const)("the table of %s is this one", (page, headings) => {
  const path = join(import.meta.dirname, "../..", page);
  expect(existsSync(path)).toBe(true);
  const before = readFileSync(path, "utf8");
  const wanted = before.replace(TABLE, `<!-- dst:begin -->\n${table(headings)}\n<!-- dst:end -->`);
  if (process.env["UPDATE_DOCS"]) writeFileSync(path, wanted);
  expect(TABLE.test(before)).toBe(true);
  expect(readFileSync(path, "utf8")).toBe(wanted);
});

const TABLE = /<!-- dst:begin -->[^]*<!-- dst:end -->/;

function table(headings: readonly string[]): string {
  const rows = CHANGES.flatMap(({ zone, year, what, rows: all }) =>
    all.map(({ schedule, runs }, at) => [
      at === 0 ? zone : "",
      at === 0 ? `${what === "–" ? "" : `${year}: `}${what}` : "",
      `\`${scheduleText(schedule)}\``,
      runs === "" ? "–" : runs,
    ]),
  );
  return [headings, headings.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function runsBetween(schedule: TimeOptions, from: number, to: number): number[] {
  const { timetable } = compileSchedule("task", schedule);
  const found: number[] = [];
  for (
    let tick = timetable.next(from - 1);
    tick !== undefined && tick < to && found.length < 1_000;
    tick = timetable.next(tick)
  ) {
    found.push(tick);
  }
  return found;
}

function shown(moment: number): string {
  return new Date(moment).toISOString();
}
