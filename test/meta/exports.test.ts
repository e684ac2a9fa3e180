import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as chat from "../../src/chat/index.ts";
import * as main from "../../src/index.ts";
import * as testing from "../../src/testing/index.ts";
import * as transfer from "../../src/transfer/index.ts";
import { ROOT } from "./source-tree.ts";

/* What is exported is promised: a name that comes or goes is a decision, not an accident. */

/** As many as a newcomer can read through at once. */
const MOST_NAMES = 40;

test("decorator-framework", () => {
  expect(Object.keys(main).sort()).toMatchInlineSnapshot(`
    [
      "CommandDispatcher",
      "ConfigError",
      "EngineError",
      "EventDispatcher",
      "Fatal",
      "FrameworkError",
      "HandlersFailedError",
      "LifecycleError",
      "PatternDispatcher",
      "PayloadError",
      "RetryAfter",
      "TimeTaskScheduler",
      "TimeoutError",
      "cached",
      "cancel",
      "commandOn",
      "createApp",
      "createRegistry",
      "defineEvent",
      "httpPool",
      "lines",
      "on",
      "reOn",
      "snooze",
      "timeOn",
    ]
  `);
  expect(typesOf("src/index.ts")).toMatchInlineSnapshot(`
    [
      "App",
      "AppOptions",
      "Context",
      "Duration",
      "Engine",
      "EventType",
      "HttpPool",
      "Logger",
      "Middleware",
      "PatternMatch",
      "PatternResult",
      "PayloadOf",
      "Reply",
      "Services",
      "Tick",
    ]
  `);
});

test("decorator-framework/testing", () => {
  expect(Object.keys(testing).sort()).toMatchInlineSnapshot(`
    [
      "VirtualClock",
      "createTestApp",
      "runConformance",
    ]
  `);
  expect(typesOf("src/testing/index.ts")).toMatchInlineSnapshot(`
    [
      "ConformanceOptions",
      "ConformanceSetup",
      "DeadMessage",
      "PublishedMessage",
      "TestApp",
      "TestAppOptions",
      "TestRun",
    ]
  `);
});

test("decorator-framework/chat", () => {
  expect(Object.keys(chat).sort()).toMatchInlineSnapshot(`
    [
      "said",
      "webSocketChat",
    ]
  `);
  expect(typesOf("src/chat/index.ts")).toMatchInlineSnapshot(`
    [
      "ChatAdapter",
      "ChatHost",
      "ChatMessage",
      "Receive",
      "WebSocketChat",
      "WebSocketChatOptions",
    ]
  `);
});

test("decorator-framework/transfer", () => {
  expect(Object.keys(transfer).sort()).toMatchInlineSnapshot(`
    [
      "BackupError",
      "backup",
      "migrate",
      "restore",
      "undoMigrate",
    ]
  `);
  expect(typesOf("src/transfer/index.ts")).toMatchInlineSnapshot(`
    [
      "BackupOptions",
      "Carried",
      "MigrateOptions",
      "RestoreOptions",
      "UndoMigrateOptions",
    ]
  `);
});

test(`the main door has at most ${MOST_NAMES} names, types included`, () => {
  const names = namesOf("src/index.ts");
  expect(names.length).toBeLessThanOrEqual(MOST_NAMES);
  // Everything is counted: at run time there is nothing that the source does not name.
  expect(
    names
      .filter(({ type }) => !type)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(Object.keys(main).sort());
});

test("each group of exports has a line of prose", () => {
  for (const file of ["src/index.ts", "src/chat/index.ts", "src/testing/index.ts", "src/transfer/index.ts"]) {
    const [, ...groups] = readFileSync(join(ROOT, file), "utf8").trim().split("\n\n");
    expect(groups.length).toBeGreaterThan(1);
    expect(groups.filter((group) => !group.startsWith("// "))).toEqual([]);
  }
});

function typesOf(file: string): string[] {
  return namesOf(file)
    .flatMap(({ name, type }) => (type ? [name] : []))
    .sort();
}

/** The names of an `index.ts`: `export { a, type B } from` and `export type { C } from` are all it has. */
function namesOf(file: string): { name: string; type: boolean }[] {
  const source = readFileSync(join(ROOT, file), "utf8");
  return [...source.matchAll(/^export (type )?\{([^}]*)\} from/gm)].flatMap(([, type, list = ""]) =>
    list.split(",").flatMap((part) => {
      const [, own, name] = /^\s*(type )?(\w+)\s*$/.exec(part) ?? [];
      return name === undefined ? [] : [{ name, type: (type ?? own) !== undefined }];
    }),
  );
}
