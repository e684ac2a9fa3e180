import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  alive,
  cli,
  environment,
  errorIn,
  fixture,
  Program,
  shellWords,
  startCli,
  temporaryFolder,
  until,
} from "./program-runs.ts";

const SLOW = fixture("slow.ts");
const MEMORY = { ENGINE_URL: "memory:" };

/** Has a handler run until the file `release` is written, and waits until it runs. */
async function runSlowly(url: string): Promise<{ answer: Promise<Response>; release: string }> {
  const release = join(await temporaryFolder(), "release");
  const answer = post(url, "/events/slow?wait=true", { until: release });
  answer.catch(() => {}); // looked at later, or never
  await until(
    async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return /^framework_\w*running\w*\{[^}]*slow[^}]*\} 1$/m.test(text) || undefined;
    },
    () => "the slow handler runs",
  );
  return { answer, release };
}

function post(url: string, path: string, body?: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(url + path, { method: "POST", headers, body: JSON.stringify(body ?? null) });
}

describe("readiness", () => {
  test("one line says what runs where, in the log where that is for programs", async () => {
    const app = await startCli(["start", fixture("functions.ts")], { env: MEMORY });
    await app.says(/is ready.*\n/);
    const line = app.stdout.split("\n").find((each) => each.includes("is ready")) ?? "";
    const { pid } = app.child;
    expect(JSON.parse(line)).toMatchObject({
      msg: `functions is ready (pid ${pid})`,
      pid,
      app: "functions",
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      engine: "memory:",
      handlers: { event: 2, time: 2, command: 4, pattern: 2 },
    });
    const health = await fetch(`${await app.url()}/health`);
    expect(health.status).toBe(200);
  });

  test("and as text where it is for people", async () => {
    const app = await startCli(["start", fixture("functions.ts")], {
      env: { ...MEMORY, LOG_FORMAT: "pretty" },
    });
    const [line] = await app.says(
      /^ready functions \(pid \d+\) at http:\/\/127\.0\.0\.1:\d+, engine memory:, 2 events, 2 timers, 4 commands, 2 patterns$/m,
    );
    expect(line).toContain(`pid ${app.child.pid}`);
  });

  test("what stands behind the file is the file's, options too; and its own port comes before PORT", async () => {
    const app = await startCli(["start", SLOW, "--follow", "x.log", "--json", "--help"], {
      env: { ...MEMORY, PORT: "1" },
    });
    const reply = await post(await app.url(), "/events/arguments?wait=true");
    expect(await reply.json()).toEqual({ results: [["--follow", "x.log", "--json", "--help"]] });
  });

  test("a port in use, an engine that is none: 3, and what to do", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number }; // it listens on a port
    const args = ["start", "--json", fixture("functions.ts")];
    const [taken, engine] = await Promise.all([
      cli(args, { env: { ...MEMORY, PORT: String(port) } }),
      cli(args, { env: { ENGINE_URL: "oracle:db" } }),
    ]);
    expect([taken.code, errorIn(taken).code]).toEqual([3, "PORT_IN_USE"]);
    expect([engine.code, errorIn(engine).code]).toEqual([3, "ENGINE_UNKNOWN"]);
  });
});

describe("the end", () => {
  test("a signal lets running handlers end, also when a terminal and npm both pass it on", async () => {
    const app = await startCli(["start", SLOW], { env: MEMORY });
    const { answer, release } = await runSlowly(await app.url());
    app.child.kill("SIGINT");
    await app.says(/asked to stop: SIGINT/);
    app.child.kill("SIGINT");
    await writeFile(release, "");
    expect(await (await answer).json()).toEqual({ results: ["released"] });
    expect(await app.exit()).toBe(0);
  });

  test.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const)("a second %s ends it at once", async (signal, code) => {
    const app = await startCli(["start", SLOW], { env: { ...MEMORY, SHUTDOWN_TIMEOUT: "10m" } });
    await runSlowly(await app.url());
    app.child.kill(signal);
    await app.says(/asked to stop/);
    await until(
      () => app.child.exitCode !== null || (app.child.kill(signal) ? undefined : true),
      () => "it ends",
    );
    expect(await app.exit()).toBe(code);
  });

  test.each(["crash", "reject"])(
    "an error that nobody catches (%s): logged as fatal, stopped, 1",
    async (event) => {
      const app = await startCli(["start", SLOW], { env: MEMORY });
      await post(await app.url(), `/events/${event}?wait=true`).catch(() => {});
      expect(await app.exit()).toBe(1);
      const fatal = app.stdout.split("\n").find((line) => line.includes('"level":"fatal"')) ?? "";
      expect(JSON.parse(fatal)).toMatchObject({
        err: { message: expect.stringContaining("where nobody") as string },
      });
      expect(app.stdout).toContain("asked to stop");
    },
  );

  test("when npm is killed, the app does not stay behind", async () => {
    const command = `${shellWords("start", fixture("functions.ts"))} & wait`;
    const shell = spawn("sh", ["-c", command], {
      cwd: await temporaryFolder(),
      env: environment({ ...MEMORY, npm_lifecycle_event: "start" }),
    });
    const npm = new Program(shell);
    const [, pid = ""] = await npm.says(/is ready \(pid (\d+)\)/);
    onTestFinished(() => void (alive(Number(pid)) && process.kill(Number(pid), "SIGKILL")));
    const url = await npm.url();
    shell.kill("SIGKILL");
    await npm.says(/asked to stop: npm has died/);
    await until(
      () => !alive(Number(pid)) || undefined,
      () => `process ${pid} ends`,
    );
    await expect(fetch(url)).rejects.toThrow("fetch failed");
  });
});
