import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createApp } from "../../src/app.ts";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { declareTranscriptCommands } from "../commands/transcript-commands.ts";
import {
  cli,
  environment,
  errorIn,
  fixture,
  Program,
  startCli,
  temporaryFolder,
  until,
} from "./program-runs.ts";

const FRONTS = fixture("fronts.ts");
const QUIET = { ENGINE_URL: "memory:", LOG_LEVEL: "silent" };

describe("lines of a pipe", () => {
  test("each is a command; remarks and blank lines are none; the exit code is that of the first that was not ok", async () => {
    const [fine, mixed, failed, empty] = await Promise.all([
      cli(["console", FRONTS], { env: QUIET, input: "/add 1 2\n\n# a remark\n  /echo 'a b' c  \n/add 2 2" }),
      cli(["console", FRONTS], { env: QUIET, input: "/ad 1\n/broken\n/add 1 1\n" }),
      cli(["console", FRONTS, "--json"], { env: QUIET, input: "/broken\n/ad 1\nhello\n/add 1 1\n" }),
      cli(["console", FRONTS], { env: QUIET }),
    ]);
    expect(fine).toEqual({ code: 0, stdout: "3\na b|c\n4\n", stderr: "" });
    expect(mixed.code).toBe(2);
    expect(mixed.stdout).toBe("2\n");
    expect(mixed.stderr.split("\n")).toEqual([
      'error COMMAND_UNKNOWN: There is no command "/ad". Did you mean /add?',
      expect.stringMatching(/^error COMMAND_FAILED: \/broken failed\./),
      "error COMMANDS_FAILED: 2 of 3 commands were not ok.",
      "",
    ]);
    expect(failed.code).toBe(1);
    expect(
      failed.stdout
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { status: string }).status),
    ).toEqual(["failed", "unknown", "not_a_command", "ok"]);
    expect(errorIn(failed).code).toBe("COMMANDS_FAILED");
    expect(empty).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("user, channel, roles and locale are those that are given", async () => {
    const input = "/restart\n/天汽\n";
    const as = ["--user", "ann", "--channel", "ops", "--roles", "guest,op", "--locale", "zh-CN", "--json"];
    const { stdout } = await cli(["console", FRONTS, ...as], { env: QUIET, input });
    const [restart, typo] = stdout.split("\n");
    expect(JSON.parse(restart ?? "")).toMatchObject({ status: "confirmation_needed" });
    expect(typo).toContain("没有命令");
    const denied = await cli(["console", FRONTS, "--role", "guest"], { env: QUIET, input: "/restart\n" });
    expect([denied.code, denied.stderr]).toEqual([1, expect.stringContaining("COMMAND_DENIED")]);
  });

  test("a running app is asked; its token says the roles, and nothing else does", async () => {
    const token = "console-0123456789";
    const registry = createRegistry();
    declareTranscriptCommands(registry);
    const env = { API_TOKENS: `${token}:publish+op` };
    const app = createApp({ engine: "memory:", log: "silent", http: { port: 0 }, registry, env });
    onTestFinished(() => app.stop());
    await app.start();
    const target = ["console", "--url", app.url ?? ""];
    const input = "/add 1 2\n/restart\n";
    const [let_in, refused, claimed] = await Promise.all([
      cli([...target, "--token", token, "--json"], { input }),
      cli([...target, "--token", "somebody-0123456789"], { input }),
      cli([...target, "--token", token, "--roles", "admin"], { input }),
    ]);
    const statuses = let_in.stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { status: string }).status);
    expect(statuses).toEqual(["ok", "confirmation_needed"]);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining("TOKEN_INVALID")]);
    expect([claimed.code, claimed.stderr]).toEqual([2, expect.stringContaining("ROLE_REFUSED")]);
  });

  test("Ctrl-C calls off what runs, and ends it", async () => {
    const program = await startCli(["console", FRONTS], { env: QUIET });
    program.child.stdin?.write("/slow\n/add 1 1\n");
    await program.says(/it has begun/);
    program.child.kill("SIGINT");
    expect(await program.exit()).toBe(1);
    expect(program.stderr).toContain("/slow was called off.");
  });
});

/** Runs its arguments on a terminal of their own, whose keys and screen are its standard input and output. */
const PTY =
  "import os, pty, sys\n" +
  "status = pty.spawn(sys.argv[1:])\n" +
  "sys.exit(os.waitstatus_to_exitcode(status))";
const hasPty = spawnSync("python3", ["-c", "import pty"]).status === 0;
const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

/** A console on a terminal, and how far its screen has been read. */
class Terminal {
  readonly #program: Program;
  #read = 0;

  constructor(program: Program) {
    this.#program = program;
  }

  static async open(args: readonly string[], state: string): Promise<Terminal> {
    const child = spawn("python3", ["-c", PTY, process.execPath, MAIN, "console", ...args], {
      cwd: await temporaryFolder(),
      env: environment({ ...QUIET, XDG_STATE_HOME: state, TERM: "xterm", NO_COLOR: "1" }),
      stdio: "pipe",
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const terminal = new Terminal(new Program(child));
    await terminal.shows(/Ctrl-D leaves\.\n> /);
    return terminal;
  }

  type(keys: string): void {
    this.#program.child.stdin?.write(keys);
  }

  /** Waits until this stands on the screen, behind what was waited for before. */
  async shows(pattern: RegExp): Promise<void> {
    const found = await until(
      () => pattern.exec(this.#screen.slice(this.#read)) ?? undefined,
      () => `${String(pattern)}\n${this.#screen}`,
    );
    this.#read += found.index + found[0].length;
  }

  exit(): Promise<number | null> {
    return this.#program.exit();
  }

  /** Without what moves the cursor. */
  get #screen(): string {
    // oxlint-disable-next-line no-control-regex -- these are what it is about
    return this.#program.stdout.replaceAll(/\u001b\[[0-9;]*[A-Za-z]|\r/g, "");
  }
}

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const UP = "\u001b[A";

describe.skipIf(!hasPty)(`on a terminal${hasPty ? "" : " (python3 with pty is needed to make one)"}`, () => {
  test("Tab completes, replies are shown, Ctrl-D leaves; the next session remembers", async () => {
    const state = await temporaryFolder();
    const first = await Terminal.open([FRONTS, "--user", "ann"], state);
    first.type("/ad\t");
    await first.shows(/\/add /);
    first.type("1 2\r");
    await first.shows(/\n3\n> /);
    first.type("/user 5 b\t");
    await first.shows(/\/user 5 ban /);
    first.type("spam --f\t");
    await first.shows(/spam --for=/);
    first.type("1h\r");
    await first.shows(/"for":3600000/);
    first.type("/add 1\r");
    await first.shows(/b is missing: give a whole number, such as 42\.\nUsage: \/add/);
    first.type(" /echo secret\r");
    await first.shows(/\nsecret\n> /);
    first.type(CTRL_D);
    expect(await first.exit()).toBe(0);

    const file = join(state, "decorator-framework", "console-history");
    expect(await readFile(file, "utf8")).toBe("/add 1 2\n/user 5 ban spam --for=1h\n/add 1\n");
    expect((await stat(file)).mode & 0o777).toBe(0o600);

    const second = await Terminal.open([FRONTS], state);
    second.type(`${UP}${UP}${UP}\r`);
    await second.shows(/\/add 1 2\n3\n> /);
    second.type("exit\r");
    expect(await second.exit()).toBe(0);
  });

  test("Ctrl-C calls off what runs, clears what is written, and a second one leaves what does not end", async () => {
    const program = await Terminal.open([FRONTS], await temporaryFolder());
    program.type("/slow\r");
    await program.shows(/it has begun/);
    program.type(CTRL_C);
    await program.shows(/\/slow was called off\.\n> /);
    program.type("/add 9");
    await program.shows(/\/add 9/);
    program.type(CTRL_C);
    program.type("/add 1 1\r");
    await program.shows(/\n2\n> /);
    program.type(CTRL_C);
    await program.shows(/Ctrl-D leaves\.\n> /);
    program.type("/deaf\r");
    await program.shows(/\/deaf\n/);
    program.type(CTRL_C);
    program.type(CTRL_C);
    expect(await program.exit()).toBe(130);
  });

  test("a running app is told of Ctrl-C; when it goes away, that is an error and not the end", async () => {
    const registry = createRegistry();
    declareTranscriptCommands(registry);
    const [began, aborted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    registry.commandOn("slow", "/slow").execute(async (_, { signal }) => {
      began.resolve();
      await once(signal, "abort");
      aborted.resolve();
    });
    const app = createApp({ engine: "memory:", log: "silent", http: { port: 0 }, registry, env: {} });
    onTestFinished(() => app.stop());
    await app.start();
    const program = await Terminal.open(["--url", app.url ?? ""], await temporaryFolder());
    program.type("/db m\t");
    await program.shows(/\/db migrate /);
    program.type("7\r");
    await program.shows(/\nto 7\n> /);
    program.type("/slow\r");
    await began.promise;
    program.type(CTRL_C);
    await program.shows(/called off; it may not have ended yet\n> /);
    await aborted.promise;
    await app.stop();
    program.type("/add 1 1\r");
    await program.shows(/error APP_UNREACHABLE: [^]*> /);
    program.type(CTRL_D);
    expect(await program.exit()).toBe(0);
  });
});
