import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLogger, type LogOptions } from "../../src/observe/logs.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "logs-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const LOGS = new URL("../../src/observe/logs.ts", import.meta.url).href;

/** A logger whose console is a list. */
async function openLog(options: LogOptions = {}, isTTY = false) {
  const written: string[] = [];
  const sink = await createLogger({ ...options, output: { isTTY, write: (text) => written.push(text) } });
  return {
    ...sink,
    written,
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

test("a line has its time, level, name and message, and the fields of its logger", async () => {
  const { log, lines } = await openLog({ name: "shop" });
  log.child({ handler: "welcome", id: "m-1" }).info({ user: "alice" }, "greeted");
  expect(lines()).toEqual([
    {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      level: "info",
      name: "shop",
      pid: process.pid,
      handler: "welcome",
      id: "m-1",
      user: "alice",
      msg: "greeted",
    },
  ]);
});

test("lines below the level are not written", async () => {
  const { log, lines } = await openLog({ level: "warn" });
  log.info({}, "no");
  log.warn({}, "yes");
  expect(lines().map(({ msg }) => msg)).toEqual(["yes"]);
});

test("silent writes nothing and opens nothing", async () => {
  const { log, close, written } = await openLog({ level: "silent", dir: join(dir, "never") });
  log.fatal({}, "no");
  await close();
  expect(written).toEqual([]);
  expect(() => readFileSync(join(dir, "never", "app.log"))).toThrow(/ENOENT/);
});

describe("secrets", () => {
  test("are hidden in fields, in the fields of a child, and in errors", async () => {
    const { log, written } = await openLog({ dir });
    const error = Object.assign(new Error("refused"), {
      config: { headers: { Authorization: "Bearer hunter2" } },
      cause: Object.assign(new Error("inner"), { password: "hunter2" }),
    });
    log.child({ apiTokens: ["hunter2"] }).error({ err: error, headers: { cookie: "hunter2" } }, "failed");
    const file = readFileSync(join(dir, "app.log"), "utf8");
    for (const text of [written.join(""), file]) {
      expect(text).not.toContain("hunter2");
      expect(text).toContain('"Authorization":"[hidden]"');
      expect(text).toContain('"cookie":"[hidden]"');
    }
  });

  test("an error keeps its type, message and stack", async () => {
    const { log, lines } = await openLog();
    log.error({ err: new TypeError("odd") }, "failed");
    expect(lines()[0]).toMatchObject({
      err: { type: "TypeError", message: "odd", stack: expect.stringContaining("logs.test.ts") },
    });
  });
});

describe("format", () => {
  test.each([
    ["auto", true, "pretty"],
    ["auto", false, "json"],
    ["pretty", false, "pretty"],
    ["json", true, "json"],
  ] as const)("%s with a terminal: %s gives %s", async (format, isTTY, expected) => {
    const { log, written } = await openLog({ format }, isTTY);
    log.info({ handler: "welcome" }, "hello");
    expect(written[0]?.startsWith("{") ? "json" : "pretty").toBe(expected);
    expect(written[0]).toMatch(/hello/);
    expect(written[0]).toMatch(/welcome/);
  });
});

test("a file has the same lines as JSON, however the console looks", async () => {
  const { log, close } = await openLog({ dir, format: "pretty" });
  log.info({ n: 1 }, "kept");
  await close();
  expect(JSON.parse(readFileSync(join(dir, "app.log"), "utf8"))).toMatchObject({
    n: 1,
    msg: "kept",
    level: "info",
  });
});

describe("in a process of its own", () => {
  const program = (body: string): string[] => [
    "--input-type=module",
    "-e",
    `import { createLogger } from ${JSON.stringify(LOGS)};
     const { log, close } = await createLogger({ dir: ${JSON.stringify(dir)}, level: "debug" });
     ${body}`,
  ];

  test("everything is written by the end, and nothing keeps the process", () => {
    const out = execFileSync(
      process.execPath,
      program(`for (let n = 0; n < 1000; n++) log.info({ n }, "line"); await close();`),
    );
    expect(out.toString().trim().split("\n")).toHaveLength(1_000);
  });

  test("a kill -9 loses no line that was logged before it", () => {
    expect(() =>
      execFileSync(
        process.execPath,
        program(
          `for (let n = 0; n < 100; n++) log.info({ n }, "line"); process.kill(process.pid, "SIGKILL");`,
        ),
      ),
    ).toThrow(/SIGKILL|failed/);
    expect(readFileSync(join(dir, "app.log"), "utf8").trim().split("\n")).toHaveLength(100);
  });

  test("it goes on when nobody reads its output any more", async () => {
    const child = spawn(
      process.execPath,
      program(
        `for (let n = 0; n < 20000; n++) log.info({ n }, "line"); await close(); process.exitCode = 7;`,
      ),
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    child.stdout.once("data", () => child.stdout.destroy());
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(7);
    expect(readFileSync(join(dir, "app.log"), "utf8").trim().split("\n")).toHaveLength(20_000);
  });
});
