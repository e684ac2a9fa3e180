/*
 * Each file of this folder is a program, run here as a reader runs it: by Node alone, against the built package.
 */

import { execFile, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
/** Nothing of the machine's own configuration, and no data file in the checkout. */
const ENV = { PATH: process.env["PATH"] ?? "", TMPDIR: tmpdir(), ENGINE_URL: "memory:" };

/** What each program prints, in part. Those that run until they are stopped, or need a compiler, have tests of their own. */
const PRINTS: Record<string, readonly string[]> = {
  "cache.ts": ["/cache -> 请提供缓存键", "calculated 1 time(s)"],
  "commands.ts": ["/health -> ok: 健康检查: 状态正常", "/helth -> unknown:"],
  "config.ts": ["配置有效"],
  "connection-pool.ts": ["[ '你好' ]"],
  "dead-letter.ts": ["reason: 'fatal'", "discarded: 1"],
  "debug.ts": ["已注册的任务:", "命令结果:", "事件结果: [ '欢迎 test' ]"],
  "events.ts": ["trigger: [ '用户注册成功: alice@example.com' ]", "用户注册成功: bob@example.com"],
  "input-validation.ts": ["/user -> ok: 错误: 参数不足", "执行 ban 成功: alice"],
  "log-monitoring.ts": ["[ '行为已记录' ]", "检测到错误: ERROR db: refused"],
  "metrics.ts": ["framework_events_total{", "framework_time_tasks_total{", "process_resident_memory_bytes "],
  "patterns.ts": ["INFO ready -> []", "检测到错误: ERROR disk full"],
  "quick-start.ts": ["欢迎 alice", "执行全量备份", "backup_task -> "],
  "rate-limit.ts": ["ann: /api -> ok: API调用成功", "bob: /api -> cooling_down:"],
  "retry.ts": ["attempt 1: Error: the database does not answer", "attempt 2: 操作成功"],
  "time.ts": ["system_monitor 系统监控: 正常运行"],
  "troubleshooting.ts": ["await app.start() first", "SCHEDULE_INVALID"],
};
const ELSEWHERE = ["decorators.ts", "health.ts", "logging.ts"];

beforeAll(() => {
  if (existsSync(join(ROOT, "dist/index.js"))) return;
  throw new Error("The package is not built: npm run build (npm test does it).");
});

describe.concurrent("each program runs to its end", () => {
  for (const [file, lines] of Object.entries(PRINTS)) {
    test(`node examples/guide/${file}`, async ({ expect }) => {
      const { stdout, stderr } = await run(file);
      expect(stderr).toBe("");
      for (const line of lines) expect(stdout).toContain(line);
    });
  }
});

test("logging.ts: console and file get the same lines, each with time, level, name and message, and no secret", async () => {
  const dir = await mkdtemp(join(tmpdir(), "guide-logging-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const { stdout } = await run("logging.ts", dir);
  expect(await readdir(dir)).toEqual(["app.log"]);
  expect(await readFile(join(dir, "app.log"), "utf8")).toBe(stdout);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const always = {
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    level: expect.any(String),
    name: "app",
    msg: expect.any(String),
  };
  for (const line of lines) expect(line).toMatchObject(always);
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: "info",
      msg: "订单已支付",
      handler: "recordPayment",
      order: { id: 1, password: "[hidden]" },
    }),
  );
  expect(lines).toContainEqual(expect.objectContaining({ level: "warn", msg: "磁盘空间不足", disk: "90 %" }));
  expect(stdout).not.toContain("looked at"); // LOG_LEVEL=INFO
});

test("health.ts: answers curl on its port until it is told to stop", async () => {
  const child = spawn(process.execPath, ["examples/guide/health.ts"], {
    cwd: ROOT,
    env: { ...ENV, PORT: "0" },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const [, url] = /^curl (.*)$/.exec(line) ?? [];
    if (url === undefined) continue;
    expect((await fetch(url)).status).toBe(200);
    child.kill("SIGINT");
  }
  expect(await ended).toBe(0);
});

describe.concurrent("the command lines of README.md print", () => {
  const readme = readFileSync(join(import.meta.dirname, "README.md"), "utf8");
  const lines = readme.split("\n").filter((line) => /^node dist\/cli\/main\.js (?!.*--url)/.test(line));
  const wanted: Record<string, readonly string[]> = {
    list: ["health_check", "handleLogin", "backup_task", "backup", "examples/guide/quick-start.ts"],
    command: ["健康检查: 状态正常 - 框架运行中"],
    trigger: ["欢迎 test"],
  };

  test("one for each of the guide's three", ({ expect }) => {
    expect(lines.map((line) => line.split(" ")[2])).toEqual(Object.keys(wanted));
  });
  for (const line of lines) {
    test(`${line}`, async ({ expect }) => {
      const { stdout } = await shell(line);
      for (const text of wanted[line.split(" ")[2] ?? ""] ?? []) expect(stdout).toContain(text);
    });
  }
});

test("decorators.ts: our command line runs what Node alone refuses", async () => {
  await expect(run("decorators.ts")).rejects.toThrow(/SyntaxError/);
  const { stdout } = await shell("node dist/cli/main.js command examples/guide/decorators.ts /health");
  expect(stdout).toBe("健康检查: 状态正常\n");
});

test("no program is left out", async () => {
  const files = (await readdir(import.meta.dirname)).filter((file) => /(?<!\.test)\.ts$/.test(file));
  expect([...Object.keys(PRINTS), ...ELSEWHERE].sort()).toEqual(files.sort());
});

/** Rejects unless the program ends with exit code 0. */
function run(file: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const program = [`examples/guide/${file}`, ...args];
  return promisify(execFile)(process.execPath, program, { cwd: ROOT, env: ENV, timeout: 25_000 });
}

/** The same for a line as one types it, with the Node of this process. */
function shell(line: string): Promise<{ stdout: string; stderr: string }> {
  const env = { ...ENV, NODE: process.execPath };
  const command = line.replace(/^node /, '"$NODE" ');
  return promisify(execFile)("/bin/sh", ["-c", command], { cwd: ROOT, env, timeout: 25_000 });
}
