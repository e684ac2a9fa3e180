import { expect, test } from "vitest";
import { sourceFiles } from "./source-tree.ts";

/*
 * Who may import whom. A room is a folder below src/, or one of the groups of single files named here. Any other arrow
 * fails, so that nothing imports upward and nothing goes round in a circle; change the picture in ARCHITECTURE.md with it.
 */
const LEAVES = [
  "alike",
  "clock",
  "context",
  "duration",
  "errors",
  "event-type",
  "heap",
  "log",
  "node-version",
  "outcome",
  "schema",
  "text-for-people",
  "topic",
  "version",
];
const ROOMS: Record<string, readonly string[]> = {
  leaf: [],
  handler: [],
  registry: ["handler"],
  engine: [],
  config: [],
  pipeline: ["handler", "engine"],
  // Usage strings, schedules, patterns and retries are checked where they are declared, by those who read them later.
  declare: [
    "handler",
    "registry",
    "pipeline/retry",
    "commands/usage",
    "commands/usage-types",
    "commands/command",
    "time/schedule",
    "patterns/refusal",
    "patterns/threshold",
    "patterns/cooldown",
  ],
  events: ["pipeline", "handler", "registry", "engine"],
  commands: ["pipeline", "handler", "registry", "engine"],
  time: ["pipeline", "handler", "registry", "engine"],
  patterns: ["pipeline", "handler", "registry", "engine"],
  delivery: ["pipeline", "handler", "engine"],
  sources: ["engine"],
  resources: [],
  observe: ["pipeline", "handler", "engine"],
  engines: ["engine", "engine-kit"],
  // What engines with a server share.
  "engine-kit": ["engine"],
  app: [
    "handler",
    "registry",
    "engine",
    "config",
    "pipeline",
    "declare",
    "events",
    "commands",
    "time",
    "patterns",
    "delivery",
    "sources",
    "observe",
    "operation-commands",
    "chat/adapter",
  ],
  // Declared by the app, and knows of it what its public face is.
  "operation-commands": ["app", "declare", "handler", "commands", "observe"],
  // Hands texts to the app; only its contract is known there, the rest is loaded where a chat is opened.
  chat: ["commands", "patterns", "pipeline", "engine"],
  // Starts engines by their URL, as an app does, and knows nothing of apps.
  transfer: ["engine", "app"],
  http: ["app", "handler", "registry", "config", "observe", "commands", "patterns"],
  cli: [
    "app",
    "handler",
    "registry",
    "config",
    "observe",
    "sources",
    "commands",
    "patterns",
    "http",
    "transfer",
  ],
  testing: ["app", "handler", "registry", "engine", "commands", "patterns", "engines"],
  index: [
    "app",
    "declare",
    "registry",
    "events",
    "time",
    "commands",
    "patterns",
    "resources",
    "sources",
    "handler",
    "engine",
    "transfer",
  ],
};
/** What composes everything; `engines` only lazily. */
const APP = [
  "app",
  "app-options",
  "runtime",
  "observation",
  "operations",
  "problems",
  "follow-into",
  "describe-handler",
  "services",
  "engines",
];

function room(path: string): string {
  const [first = "", second] = path.split("/");
  if (second !== undefined) return first;
  const name = first.replace(/\.ts$/, "");
  if (LEAVES.includes(name)) return "leaf";
  if (name.startsWith("config") || name === "api-tokens") return "config";
  if (name === "engine-schedules" || name === "engine-transfer") return "engine";
  return APP.includes(name) ? "app" : name;
}

test("every file stands in a room that is drawn", () => {
  expect(
    [...new Set(sourceFiles().map(({ path }) => room(path)))].filter((name) => !(name in ROOMS)),
  ).toEqual([]);
});

test("no room imports one it must not know", () => {
  const wrong: string[] = [];
  for (const { path, imports, types } of sourceFiles()) {
    const from = room(path);
    for (const target of [...imports, ...types]) {
      const to = room(target);
      if (to === from || to === "leaf" || (from === "leaf" && types.includes(target) && to === "handler"))
        continue;
      const allowed = ROOMS[from] ?? [];
      if (!allowed.includes(to) && !allowed.includes(target.replace(/\.ts$/, "")))
        wrong.push(`${path} -> ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("no engine knows another, and only one file knows them all, lazily", () => {
  const files = sourceFiles();
  const crossing = files.flatMap(({ path, imports, types, lazy }) =>
    [...imports, ...types, ...lazy].flatMap((target) => {
      const engine = /^engines\/([^/]+)\//.exec(target)?.[1];
      const own = /^engines\/([^/]+)\//.exec(path)?.[1];
      return engine === undefined || engine === own ? [] : [`${path} -> ${target}`];
    }),
  );
  const expected = crossing.filter(
    (arrow) => !arrow.startsWith("engines.ts -> ") && !arrow.startsWith("testing/"),
  );
  expect(expected).toEqual([]);
  expect(
    files
      .find(({ path }) => path === "engines.ts")
      ?.imports.filter((target) => target.startsWith("engines/")),
  ).toEqual([]);
});

test("no file stands in a circle of imports", () => {
  const files = new Map(sourceFiles().map((file) => [file.path, file.imports]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
    if (done.has(path) || trail.includes(path)) return;
    for (const next of files.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of files.keys()) visit(path, []);
  expect(circles).toEqual([]);
});

test("importing the package loads no library but what every user needs", () => {
  const files = new Map(sourceFiles().map((file) => [file.path, file]));
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    const file = files.get(path);
    if (seen.has(path) || !file) return;
    seen.add(path);
    const typeOnly = new Set(
      [...file.text.matchAll(/^import type [^;]*from "([^"]+)";/gm)].map(([, name]) => name),
    );
    for (const name of file.packages)
      if (!typeOnly.has(name) && !name.startsWith("node:")) packages.add(name);
    file.imports.forEach(visit);
  };
  visit("index.ts");
  expect([...packages]).toEqual([]);
});
