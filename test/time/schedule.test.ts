import { describe, expect, test } from "vitest";
import { DeclarationError } from "../../src/errors.ts";
import type { TimeOptions } from "../../src/handler.ts";
import { compileSchedule, hashOf } from "../../src/time/schedule.ts";

const at = (text: string): number => Date.parse(text);

function ticks(options: TimeOptions, from: string, count: number, task = "task"): string[] {
  const { timetable } = compileSchedule(task, options);
  const found: string[] = [];
  for (
    let tick = timetable.next(at(from));
    tick !== undefined && found.length < count;
    tick = timetable.next(tick)
  ) {
    found.push(new Date(tick).toISOString().replace(".000Z", "Z"));
  }
  return found;
}

describe("every", () => {
  test("is aligned to the clock and strictly after the moment asked for", () => {
    expect(ticks({ every: "15m" }, "2026-11-22T10:07:13Z", 2)).toEqual([
      "2026-11-22T10:15:00Z",
      "2026-11-22T10:30:00Z",
    ]);
    expect(ticks({ every: "15m" }, "2026-11-22T10:15:00Z", 1)).toEqual(["2026-11-22T10:30:00Z"]);
    expect(ticks({ every: "1d" }, "2026-11-22T10:15:00Z", 1)).toEqual(["2026-11-23T00:00:00Z"]);
  });

  test.each(["5ms", 0, 10.5, "36501d"] as const)("refuses %s", (every) => {
    expect(() => compileSchedule("task", { every })).toThrow(
      /timeOn\("task"\) every is .*whole milliseconds/,
    );
  });
});

describe("cron", () => {
  test("has five fields, six with seconds first, or a word", () => {
    expect(ticks({ cron: "0 3 * * *" }, "2026-11-22T10:00:00Z", 1)).toEqual(["2026-11-23T03:00:00Z"]);
    expect(ticks({ cron: "*/20 * * * * *" }, "2026-11-22T10:00:01Z", 2)).toEqual([
      "2026-11-22T10:00:20Z",
      "2026-11-22T10:00:40Z",
    ]);
    expect(ticks({ cron: "@daily" }, "2026-11-22T10:00:00Z", 1)).toEqual(["2026-11-23T00:00:00Z"]);
    expect(ticks({ cron: "0 0 L * *" }, "2028-02-10T00:00:00Z", 1)).toEqual(["2028-02-29T00:00:00Z"]);
    expect(ticks({ cron: "0 9 * * MON#2" }, "2026-11-01T00:00:00Z", 1)).toEqual(["2026-11-09T09:00:00Z"]);
  });

  test("is read in the time zone, and in UTC without one", () => {
    const cron = "0 3 * * *";
    expect(ticks({ cron, timezone: "Asia/Shanghai" }, "2026-11-22T10:00:00Z", 1)).toEqual([
      "2026-11-22T19:00:00Z",
    ]);
    expect(compileSchedule("task", { cron, timezone: "UTC" }).definition).toEqual(
      compileSchedule("task", { cron }).definition,
    );
  });

  test("asked a millisecond before a tick it answers that tick", () => {
    const { timetable } = compileSchedule("task", { cron: "*/5 * * * *" });
    const tick = at("2026-11-22T10:05:00Z");
    expect([tick - 1, tick, tick + 1, tick + 999].map((after) => timetable.next(after))).toEqual([
      tick,
      tick + 300_000,
      tick + 300_000,
      tick + 300_000,
    ]);
  });

  test("more lines than are kept compiled all stay right", () => {
    const tables = Array.from({ length: 200 }, (_, line) =>
      compileSchedule("task", { cron: `${line % 60} ${line % 24} * * *` }),
    );
    for (const [line, { timetable }] of tables.entries()) {
      const next = new Date(timetable.next(at("2026-11-22T23:59:59Z")) ?? 0);
      expect([next.getUTCMinutes(), next.getUTCHours()]).toEqual([line % 60, line % 24]);
    }
  });
});

// Clocks in New York go from 02:00 to 03:00 on 2026-03-08 (07:00Z) and from 02:00 back to 01:00 on 2026-11-01 (06:00Z).
describe("daylight saving in New York", () => {
  const timezone = "America/New_York";
  const spring = "2026-03-08T05:00:00Z";
  const autumn = "2026-11-01T04:00:00Z";

  test("a daily task keeps its hour on the wall and runs once a day", () => {
    const daily = { cron: "0 12 * * *", timezone };
    expect(ticks(daily, "2026-03-07T00:00:00Z", 3)).toEqual([
      "2026-03-07T17:00:00Z",
      "2026-03-08T16:00:00Z",
      "2026-03-09T16:00:00Z",
    ]);
    expect(ticks(daily, "2026-10-31T00:00:00Z", 2)).toEqual(["2026-10-31T16:00:00Z", "2026-11-01T17:00:00Z"]);
  });

  test("a time that is skipped runs when the skip is over", () => {
    expect(ticks({ cron: "30 2 * * *", timezone }, spring, 2)).toEqual([
      "2026-03-08T07:00:00Z",
      "2026-03-09T06:30:00Z",
    ]);
  });

  test("a time that comes twice runs the first time only", () => {
    expect(ticks({ cron: "30 1 * * *", timezone }, autumn, 2)).toEqual([
      "2026-11-01T05:30:00Z",
      "2026-11-02T06:30:00Z",
    ]);
  });

  test("an hourly task runs each hour, through both changes", () => {
    const hourly = { cron: "0 * * * *", timezone };
    expect(ticks(hourly, "2026-03-08T05:30:00Z", 3)).toEqual([
      "2026-03-08T06:00:00Z",
      "2026-03-08T07:00:00Z",
      "2026-03-08T08:00:00Z",
    ]);
    expect(ticks(hourly, "2026-11-01T04:30:00Z", 3)).toEqual([
      "2026-11-01T05:00:00Z",
      "2026-11-01T06:00:00Z",
      "2026-11-01T07:00:00Z",
    ]);
  });
});

describe("at", () => {
  test.each([
    ["2026-12-31T23:59:00Z", undefined],
    ["2027-01-01T07:59:00+08:00", undefined],
    [new Date("2026-12-31T23:59:00Z"), undefined],
    [at("2026-12-31T23:59:00Z"), undefined],
    ["2026-12-31 23:59", undefined],
    ["2027-01-01T07:59", "Asia/Shanghai"],
  ] as const)("%s in %s is one moment", (moment, timezone) => {
    const options = timezone ? { at: moment, timezone } : { at: moment };
    expect(ticks(options, "2026-01-01T00:00:00Z", 3)).toEqual(["2026-12-31T23:59:00Z"]);
    expect(ticks(options, "2026-12-31T23:59:00Z", 1)).toEqual([]);
  });

  test("is caught up with once, unless told otherwise", () => {
    expect(compileSchedule("task", { at: 1 }).definition.misfire).toBe("once");
    expect(compileSchedule("task", { at: 1, misfire: "skip" }).definition.misfire).toBe("skip");
    expect(compileSchedule("task", { every: "1s" }).definition.misfire).toBe("skip");
  });
});

describe("jitter", () => {
  test("shifts all ticks of a task alike, by less than its length, and is always the same", () => {
    const plain = at("2026-11-22T11:00:00Z");
    const shifts = Array.from({ length: 200 }, (_, number) => {
      const { timetable } = compileSchedule(`task-${number}`, { every: "1h", jitter: "10m" });
      const first = timetable.next(plain - 1) ?? 0;
      expect(timetable.next(first)).toBe(first + 3_600_000);
      return first - plain;
    });
    expect(Math.min(...shifts)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...shifts)).toBeLessThan(600_000);
    // Spread over the whole length: each tenth of it has some.
    expect(new Set(shifts.map((shift) => Math.floor(shift / 60_000))).size).toBe(10);
    const cron = compileSchedule("task-7", { cron: "0 * * * *", jitter: "10m" });
    expect((cron.timetable.next(plain - 1) ?? 0) - plain).toBe(shifts[7]);
  });
});

describe("mistakes", () => {
  test.each<[string, object, RegExp]>([
    ["nothing", {}, /has none of every, cron and at\. Write at least one/],
    ["empty lists", { every: [], cron: [] }, /has none of every, cron and at/],
    ["too many rules", { at: Array.from({ length: 101 }, (_, n) => n) }, /has 101 rules\. Write 100/],
    ["a wrong line among right ones", { cron: ["0 3 * * *", "61 * * * *"] }, /cron "61 \* \* \* \*"/],
    ["no runs", { every: "1s", maxRuns: 0 }, /maxRuns is 0\. Write a whole number/],
    ["half a run", { every: "1s", maxRuns: 1.5 }, /maxRuns is 1\.5/],
    ["no start", { every: "1s", start: "tomorrow" }, /start is "tomorrow", which names no moment/],
    [
      "an end before the start",
      { every: "1h", start: "2026-01-02", end: "2026-01-01" },
      /has no tick between its start and its end/,
    ],
    [
      "no tick between them",
      { cron: "0 3 * * *", start: "2026-01-01T04:00Z", end: "2026-01-02T02:00Z" },
      /has no tick between/,
    ],
    ["a short line", { cron: "* * *" }, /cron "\* \* \*" is not a cron line: .*Write 5 fields/],
    ["seven fields", { cron: "* * * * * * 2026" }, /is not a cron line/],
    ["a wrong minute", { cron: "61 * * * *" }, /Invalid value for minute: 61/],
    ["a day that never comes", { cron: "0 0 31 2 *" }, /names a day that never comes/],
    ["a line that is no text", { cron: 5 }, /cron is number, not text/],
    [
      "an unknown zone",
      { cron: "0 3 * * *", timezone: "Asia/Atlantis" },
      /timezone "Asia\/Atlantis" is not known\. Write an IANA/,
    ],
    [
      "a zone with every",
      { every: "1h", timezone: "Asia/Shanghai" },
      /has a timezone with every\. .*use cron/,
    ],
    ["no moment", { at: "tomorrow" }, /at is "tomorrow", which names no moment/],
    ["a day the month does not have", { at: "2026-02-30T10:00Z" }, /names no moment/],
    ["an invalid date", { at: new Date("x") }, /at is Invalid Date/],
    [
      "an unknown misfire",
      { every: "1s", misfire: "never" },
      /misfire is "never"\. Write "skip" or "once" or "all"/,
    ],
    ["an unknown overlap", { every: "1s", overlap: "wait" }, /overlap is "wait"/],
    [
      "an unknown scope",
      { every: "1s", scope: "replica" },
      /scope is "replica"\. Write "cluster" or "instance"/,
    ],
    ["a wrong duration", { every: "soon" }, /timeOn\("task"\): every: "soon" is not a duration/],
  ])("%s: says what to write", (_, options, message) => {
    const declare = () => compileSchedule("task", options as TimeOptions); // wrong on purpose
    expect(declare).toThrow(DeclarationError);
    expect(declare).toThrow(message);
  });
});

test("two definitions have one hash only if they tick alike", () => {
  const hash = (options: TimeOptions) => hashOf(JSON.stringify(compileSchedule("task", options).definition));
  expect(hash({ every: "1h" })).toBe(hash({ every: "60m", priority: 3, overlap: "queue" }));
  expect(hash({ cron: "0  3 * * *" })).toBe(hash({ cron: " 0 3 * * * " }));
  const all = [
    hash({ every: "1h" }),
    hash({ every: "2h" }),
    hash({ every: "1h", jitter: "1m" }),
    hash({ every: "1h", misfire: "all" }),
    hash({ cron: "0 3 * * *" }),
    hash({ cron: "0 3 * * *", timezone: "Asia/Shanghai" }),
    hash({ at: 3_600_000 }),
  ];
  expect(new Set(all).size).toBe(all.length);
});

describe("several rules", () => {
  test("tick at the moments of all, each once", () => {
    const options: TimeOptions = {
      every: "6h",
      cron: ["0 3 * * *", "0 12 * * *"],
      at: "2026-11-22T05:30:00Z",
      timezone: "UTC",
    };
    expect(ticks(options, "2026-11-22T00:00:00Z", 6)).toEqual([
      "2026-11-22T03:00:00Z",
      "2026-11-22T05:30:00Z",
      "2026-11-22T06:00:00Z",
      "2026-11-22T12:00:00Z",
      "2026-11-22T18:00:00Z",
      "2026-11-23T00:00:00Z",
    ]);
  });

  test("are one definition, however they are written", () => {
    const of = (options: TimeOptions) => compileSchedule("task", options).definition;
    expect(of({ every: ["1h"] })).toEqual(of({ every: "60m" }));
    expect(of({ every: ["90m", "1h", "60m"] })).toEqual({ every: [3_600_000, 5_400_000], misfire: "skip" });
    expect(of({ cron: ["0 4 * * *", "0  3 * * *"] }).cron).toEqual(["0 3 * * *", "0 4 * * *"]);
  });
});

describe("start and end", () => {
  test("bound the ticks, and belong to them", () => {
    const bounds = { start: "2026-11-22T03:00:00Z", end: new Date("2026-11-22T05:00:00Z") };
    const all = ["2026-11-22T03:00:00Z", "2026-11-22T04:00:00Z", "2026-11-22T05:00:00Z"];
    expect(ticks({ every: "1h", ...bounds }, "2026-01-01T00:00:00Z", 9)).toEqual(all);
    expect(ticks({ cron: "@hourly", ...bounds }, "2026-11-22T03:00:00Z", 9)).toEqual(all.slice(1));
  });

  test("are read in the task's zone, and moved by the jitter with the ticks", () => {
    const { definition } = compileSchedule("task", {
      every: "1h",
      start: "2026-11-22T03:00",
      timezone: "Asia/Shanghai",
    });
    expect(definition.start).toBe(at("2026-11-21T19:00:00Z"));
    const hour = { start: at("2026-11-22T03:00:00Z"), end: at("2026-11-22T03:00:00Z") };
    for (let n = 0; n < 20; n++) {
      const { timetable } = compileSchedule(`task-${n}`, { every: "1h", jitter: "50m", ...hour });
      const first = timetable.next(0) ?? 0;
      expect(Math.floor(first / 3_600_000) * 3_600_000).toBe(hour.start);
      expect(timetable.next(first)).toBeUndefined();
    }
  });
});

test("croner is loaded by the first cron line that is not plain, and not before", async () => {
  const { execFileSync } = await import("node:child_process");
  const schedule = new URL("../../src/time/schedule.ts", import.meta.url).href;
  const scheduler = new URL("../../src/time/time-task-scheduler.ts", import.meta.url).href;
  const script = `
    import { createRequire } from "node:module";
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes("croner"));
    await import(${JSON.stringify(scheduler)});
    const { compileSchedule } = await import(${JSON.stringify(schedule)});
    compileSchedule("a", { every: "1s" });
    compileSchedule("b", { cron: "*/5 8-18 * * mon-fri", timezone: "Asia/Shanghai" });
    const before = loaded();
    compileSchedule("c", { cron: "0 0 L * *" });
    console.log(before, loaded());`;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(out.trim()).toBe("false true");
});
