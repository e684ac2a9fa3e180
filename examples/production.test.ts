import { type ChildProcess, spawn } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";

/* What `npm start` runs, as it runs it: the built CLI, in a process of its own, on a port of its own. */

const ROOT = join(import.meta.dirname, "..");
const LOGHUB = process.env["LOGHUB_DIR"] ?? join(ROOT, "../shared/data/loghub");
const SSH_LOG = join(LOGHUB, "OpenSSH_2k.log");

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

describe("on a real log", () => {
  test.skipIf(!existsSync(SSH_LOG))(
    `finds what the ground truth says, and alerts once for each address (needs ${SSH_LOG === "" ? "a log" : "the loghub data: set LOGHUB_DIR"})`,
    async () => {
      const truth = groundTruth();
      const folder = newFolder();
      const first = await start(folder, ["--follow", SSH_LOG, "--from-start"]);
      await until(
        async () => (await findings(first)).failed_password === truth.failed_password,
        "all lines to be read",
      );
      await until(async () => (await findings(first)).alerts.length === truth.addresses.length, "all alerts");
      const found = await findings(first);
      expect(found).toMatchObject({
        failed_password: truth.failed_password,
        invalid_user: truth.invalid_user,
        break_in_attempt: truth.break_in_attempt,
      });
      expect(found.alerts.toSorted()).toEqual(truth.addresses);
      await stop(first);

      // Where it stopped it goes on: nothing is read again, nobody is alerted again.
      const second = await start(folder, ["--follow", SSH_LOG, "--from-start"]);
      expect(await findings(second)).toMatchObject({ failed_password: 0, alerts: [] });
    },
    60_000,
  );

  test("goes on across rotation and truncation", async () => {
    const folder = newFolder();
    const log = join(folder, "auth.log");
    const line = (pid: number) =>
      `Dec 10 06:55:46 host sshd[${pid}]: Failed password for root from 10.0.0.${pid} port 22 ssh2\n`;
    writeFileSync(log, line(1));
    const app = await start(folder, ["--follow", log, "--from-start"]);
    const seen = async (count: number) =>
      until(async () => (await findings(app)).failed_password === count, `${count} lines`);
    await seen(1);
    renameSync(log, `${log}.1`);
    writeFileSync(log, line(2));
    await seen(2);
    appendFileSync(log, line(3));
    await seen(3);
    writeFileSync(log, line(4));
    await seen(4);
  }, 60_000);
});

test("kill -9 in the middle of 1,000 published events: the next start handles all of them", async () => {
  const folder = newFolder();
  const first = await start(folder);
  const acknowledged: number[] = [];
  const publish = async (n: number): Promise<void> => {
    const response = await post(first, "/events/user.action", { n });
    if (response.status === 202 && acknowledged.push(n) === 400) first.process.kill("SIGKILL");
  };
  for (let n = 0; n < 1_000; n += 20) {
    // Those that the kill interrupts were never acknowledged.
    await Promise.all(Array.from({ length: 20 }, (_, at) => publish(n + at).catch(() => {})));
  }
  expect(acknowledged.length).toBeGreaterThanOrEqual(400);
  expect(acknowledged.length).toBeLessThan(1_000);

  await start(folder);
  await until(() => {
    const handled = new Set(handledActions(folder));
    return acknowledged.every((n) => handled.has(n));
  }, "all acknowledged events to be handled");
}, 60_000);

test("a command, an event, a match, health and metrics, as the README shows them", async () => {
  const app = await start(newFolder());
  expect(await (await fetch(`${app.url}/health`)).json()).toMatchObject({
    status: "ok",
    engine: { name: "sqlite" },
  });
  expect(await (await post(app, "/commands", { text: "/health" })).json()).toMatchObject({ status: "ok" });
  expect(await (await post(app, "/commands", { text: "/user x ban" })).json()).toMatchObject({
    status: "invalid",
  });
  expect(await (await post(app, "/commands", { text: "/api", user: "ann" })).json()).toMatchObject({
    status: "ok",
  });
  const again = (await (await post(app, "/commands", { text: "/api", user: "ann" })).json()) as {
    status: string;
    retryAfter: number;
  };
  expect(again.status).toBe("cooling_down");
  expect(again.retryAfter).toBeGreaterThan(50_000);
  expect((await post(app, "/events/user.registered", { email: "ann@example.com" })).status).toBe(202);
  const waited = await post(app, "/events/user.login?wait=true", { username: "ann" });
  expect(await waited.json()).toEqual({ results: ["welcome back, ann"] });
  expect(await (await post(app, "/match", { content: "2026-11-22 ERROR disk full" })).json()).toMatchObject({
    results: [{ handler: "error_line", status: "ok" }],
  });
  expect(await (await fetch(`${app.url}/metrics`)).text()).toContain(
    'framework_events_total{event="user.login",handler="login",status="ok"} 1',
  );
}, 60_000);

interface Running {
  readonly process: ChildProcess;
  readonly url: string;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "production-"));
  endings.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(folder: string, args: readonly string[] = []): Promise<Running> {
  const env = {
    ...process.env,
    ENGINE_URL: `sqlite:${join(folder, "app.db")}`,
    LOG_DIR: join(folder, "logs"),
    PORT: "0",
    LOG_FORMAT: "json",
    LOG_LEVEL: "info",
  };
  const child = spawn(process.execPath, ["dist/cli/main.js", "start", "examples/production.ts", ...args], {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  endings.push(() => child.kill("SIGKILL"));
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const urlOf = () => /"url":"(http:[^"]+)"/.exec(output)?.[1];
  await until(
    () => urlOf() !== undefined || child.exitCode !== null,
    `the app to be ready; it said: ${output}`,
  );
  return { process: child, url: urlOf() ?? "" };
}

async function stop({ process: child }: Running): Promise<void> {
  child.kill("SIGTERM");
  await until(() => child.exitCode !== null, "the app to stop");
  expect(child.exitCode).toBe(0);
}

function post({ url }: Running, path: string, body: object): Promise<Response> {
  return fetch(url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

interface Findings {
  readonly failed_password: number;
  readonly alerts: readonly string[];
}

async function findings(app: Running): Promise<Findings> {
  return ((await (await post(app, "/commands", { text: "/findings" })).json()) as { data: Findings }).data;
}

/** The numbers of the user.action events that the app's own log says were handled. */
function handledActions(folder: string): number[] {
  const log = join(folder, "logs/app.log");
  if (!existsSync(log)) return [];
  return [...readFileSync(log, "utf8").matchAll(/"action":\{"n":(\d+)\}/g)].map(([, n]) => Number(n));
}

/** Counted from the CSV beside the log: E9 and E10 are failed passwords, E13 invalid users, E27 break-in attempts. */
function groundTruth() {
  const rows = readFileSync(`${SSH_LOG}_structured.csv`, "utf8").split(/\r?\n/).slice(1);
  const of = (...ids: string[]) => rows.filter((row) => ids.some((id) => row.includes(`,${id},`)));
  const failures = new Map<string, number>();
  for (const row of of("E9", "E10")) {
    const address = / from (\S+) port /.exec(row)?.[1] ?? "";
    failures.set(address, (failures.get(address) ?? 0) + 1);
  }
  return {
    failed_password: of("E9", "E10").length,
    invalid_user: of("E13").length,
    break_in_attempt: of("E27").length,
    addresses: [...failures].flatMap(([address, count]) => (count > 5 ? [address] : [])).toSorted(),
  };
}

async function until(done: () => boolean | Promise<boolean>, what: string, ms = 30_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
