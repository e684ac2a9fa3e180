import { describe, expect, test } from "vitest";
import { z } from "zod";
import { CommandDispatcher, type CommandDispatcherOptions } from "../../src/commands/command-dispatcher.ts";
import type { Reply } from "../../src/commands/reply.ts";
import type { Context } from "../../src/context.ts";
import { CancelledError, DeclarationError, RateLimitedError, TimeoutError } from "../../src/errors.ts";
import type { CommandOptions, HandlerFunction } from "../../src/handler.ts";
import { type Logger, silentLogger } from "../../src/log.ts";
import { cancel, snooze } from "../../src/outcome.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { HandlerRegistry } from "../../src/registry.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

interface Line {
  readonly level: string;
  readonly message: string | undefined;
  readonly fields: Record<string, unknown>;
}

function setup(options: CommandDispatcherOptions = {}) {
  const registry = new HandlerRegistry();
  const environment = bareEnvironment();
  const clock = new VirtualClock();
  const lines: Line[] = [];
  const write = (level: string) => (fields: object, message?: string) =>
    void lines.push({ level, message, fields: { ...fields } });
  const log: Logger = { ...silentLogger, info: write("info"), error: write("error"), child: () => log };
  Object.assign(environment, { clock, log });
  const pipeline = new Pipeline(environment);
  const commands = new CommandDispatcher({ registry, pipeline, ...options });
  const add = (usage: string, fn: HandlerFunction = (args) => args, more: CommandOptions = {}) => {
    const name = more.name ?? usage.slice(1).split(" [")[0]?.split(" <")[0]?.replaceAll(" ", ".") ?? usage;
    return registry.add({
      kind: "command",
      name,
      usage,
      options: more,
      fn,
      site: `app.ts:${registry.list().length + 1}`,
    });
  };
  return { registry, pipeline, environment, clock, lines, commands, add };
}

describe("a transcript", () => {
  const { commands, add } = setup();
  add("/echo", (input) => (input as { args: string[] }).args.join("|"));
  add("/user <id:int> <action:ban|unban> [reason...] [--for=duration] [--dry-run]");
  add("/db", () => "db", { description: "The database." });
  add("/db migrate <to:int>", (input) => `to ${(input as { to: number }).to}`, {
    aliases: ["/migrate", "/db m"],
  });
  add("/db user add", () => "added");
  add("!ban <who>", (input) => `banned ${(input as { who: string }).who}`);
  add("/Case", () => "upper");
  add("/case", () => "lower");
  add("/备份 [模式:全量|增量]", (input) => input);
  add("/nothing", () => undefined);
  add("/object", () => ({ a: 1n, b: [true] }));
  add("/number", () => 42);

  test.each<[text: string, status: Reply["status"], reply: string]>([
    ["/echo a 'b c' --x -- “d e” 「f」", "ok", "a|b c|--x|--|d e|f"],
    ["  /echo\u3000全角　空格 ", "ok", "全角|空格"],
    ["\u200b/ec\u200bho x", "ok", "x"],
    ["/ECHO x", "ok", "x"],
    ["/echo\nline", "ok", "line"],
    ["/user -5 BAN", "ok", '{"dryRun":false,"id":-5,"action":"ban","reason":[]}'],
    [
      "/user 5 ban spam links --for 1h --dry-run",
      "ok",
      '{"dryRun":true,"id":5,"action":"ban","for":3600000,"reason":["spam","links"]}',
    ],
    ["/db", "ok", "db"],
    ["/db MIGRATE 7", "ok", "to 7"],
    ["/migrate 7", "ok", "to 7"],
    ["/db m 7", "ok", "to 7"],
    ["/db user add", "ok", "added"],
    ["/db 'migrate' 7", "ok", "db"],
    ["/db user", "ok", "db"],
    ["!ban ann", "ok", "banned ann"],
    ["/Case", "ok", "upper"],
    ["/case", "ok", "lower"],
    ["/CASE", "ok", "upper"],
    ["/备份 全量", "ok", '{"模式":"全量"}'],
    ["/nothing", "ok", ""],
    ["/object", "ok", '{"a":"1","b":[true]}'],
    ["/number", "ok", "42"],
    ["", "not_a_command", ""],
    ["hello /echo", "not_a_command", ""],
    ["/", "not_a_command", ""],
    ["/ echo", "not_a_command", ""],
    ["//echo", "not_a_command", ""],
    ["!!!", "not_a_command", ""],
    [".5 is a number", "not_a_command", ""],
    ["echo", "not_a_command", ""],
    ["/ehco x", "unknown", 'There is no command "/ehco". Did you mean /echo?'],
    ["!bna", "unknown", 'There is no command "!bna". Did you mean !ban?'],
    ["/constructor", "unknown", 'There is no command "/constructor".'],
    ["/__proto__", "not_a_command", ""],
    [
      "/user x jail",
      "invalid",
      'id: "x" does not fit. Give a whole number, such as 42.\naction: "jail" does not fit. Give ban or unban.\nUsage: /user <id:int> <action:ban|unban> [reason...] [--for=duration] [--dry-run]',
    ],
    ["!ban", "invalid", "who is missing: give a text.\nUsage: !ban <who>"],
    [
      "!ban a b",
      "invalid",
      '"b" is one argument too many. Put quotes around an argument that has blanks in it.\nUsage: !ban <who>',
    ],
    [
      "!ban 'ann",
      "invalid",
      "The quote ' is not closed. Close it, or write \\' for the character itself.\nUsage: !ban <who>",
    ],
    [
      "/user 1 ban --fro=1h",
      "invalid",
      'There is no flag "--fro". Did you mean --for? Write "--" before arguments that begin with dashes.\nUsage: /user <id:int> <action:ban|unban> [reason...] [--for=duration] [--dry-run]',
    ],
    [
      "/user 1 ban --for",
      "invalid",
      "--for needs a value, such as --for=1h30m.\nUsage: /user <id:int> <action:ban|unban> [reason...] [--for=duration] [--dry-run]",
    ],
  ])("%j", async (text, status, reply) => {
    expect(await commands.handle(text)).toMatchObject({ status, text: reply });
  });

  test("in Chinese", async () => {
    const say = async (text: string) => (await commands.handle(text, { locale: "zh-CN" })).text;
    expect(await say("/ehco")).toBe('没有命令 "/ehco"。您是不是要找 /echo？');
    expect(await say("!ban")).toBe("缺少参数 who：请输入文本。\n用法：!ban <who>");
  });

  test("tells programs what was wrong", async () => {
    const { data, command } = await commands.handle("/user x ban");
    expect(command).toBe("user");
    expect(data).toMatchObject({ problems: [{ code: "misfit", argument: "id" }] });
    expect(data).toHaveProperty("usage", expect.stringContaining("/user <id:int>"));
  });

  test("what is no text is no command", async () => {
    // As JavaScript may call it.
    expect(await commands.handle(undefined as unknown as string)).toMatchObject({ status: "not_a_command" });
    expect(await commands.handle("/number", null as unknown as undefined)).toMatchObject({ status: "ok" });
  });
});

describe("declaring", () => {
  test("words that are taken show both places, and nothing stays behind", async () => {
    const { add, commands, registry } = setup();
    add("/backup");
    const fault = faultOf(() => add("/save", undefined, { aliases: ["/bk", "/backup"] }));
    expect(fault.code).toBe("COMMAND_DUPLICATE");
    expect(fault.message).toMatch(/"\/backup"[^]*"backup" at app\.ts:1[^]*"save" at app\.ts:2/);
    expect(registry.list()).toHaveLength(1);
    expect((await commands.handle("/bk")).status).toBe("unknown");
  });

  test.each<[usage: string, options: object, code: string]>([
    ["backup", {}, "COMMAND_PREFIX"],
    ["/x <id:itn>", {}, "USAGE_TYPE"],
    ["/x", { aliases: ["/y <id>"] }, "ALIAS_INVALID"],
    ["/x", { aliases: "/y" }, "ALIAS_INVALID"],
    ["/x", { aliases: ["y"] }, "COMMAND_PREFIX"],
    ["/x", { aliases: ["/y", "/y"] }, "ALIAS_INVALID"],
    ["/x", { aliases: ["/x"] }, "ALIAS_INVALID"],
    ["/x", { roles: [] }, "ROLES_INVALID"],
    ["/x", { roles: [1] }, "ROLES_INVALID"],
    ["/x", { cooldown: "soon" }, "DURATION_INVALID"],
    ["/x", { cooldown: { per: "1s", scope: "planet" } }, "COOLDOWN_INVALID"],
    ["/x", { cooldown: { per: "1s", by: "user" } }, "COOLDOWN_INVALID"],
  ])("%s with %j is refused with %s", (usage, options, code) => {
    const { add } = setup();
    expect(faultOf(() => add(usage, undefined, options)).code).toBe(code);
  });

  test("a handler that leaves frees its words, aliases and prefix", async () => {
    const { add, commands } = setup();
    const dispose = add("!db migrate", () => 1, { aliases: ["!m"] });
    const status = async (text: string) => (await commands.handle(text)).status;
    expect(await status("!m")).toBe("ok");
    dispose();
    expect(await status("!db migrate")).toBe("not_a_command");
    expect(await status("!m")).toBe("not_a_command");
    add("!db migrate", () => 1);
    expect(await status("!DB migrate")).toBe("ok");
  });

  test("a closed dispatcher no longer follows its registry", async () => {
    const { add, commands } = setup();
    commands.close();
    commands.close();
    add("/late");
    expect((await commands.handle("/late")).status).toBe("unknown");
  });

  test("list shows all commands in order", () => {
    const { add, commands } = setup();
    add("/b [x]", undefined, { description: "B.", aliases: ["/bb"], cooldown: "5s", roles: ["op"] });
    add("/a", undefined, { hidden: true });
    const [first, second] = commands.list();
    expect(first).toEqual({
      name: "b",
      command: "/b",
      usage: "/b [x]",
      description: "B.",
      aliases: ["/bb"],
      roles: ["op"],
      hidden: false,
      cooldown: 5_000,
      rateLimit: undefined,
      confirm: false,
    });
    expect(second).toMatchObject({ name: "a", hidden: true });
  });
});

describe("who may", () => {
  test("the caller needs one of the roles, and learns nothing else", async () => {
    const { add, commands } = setup();
    let ran = 0;
    add("/stop <now:int>", () => ++ran, { roles: ["operate", "admin"] });
    const refused = await commands.handle("/stop", { roles: ["read"] });
    expect(refused).toMatchObject({ status: "denied", command: "stop" });
    expect(refused.text).toBe('You may not use /stop: it needs the role "operate" or "admin".');
    expect((await commands.handle("/stop 1")).status).toBe("denied");
    expect(ran).toBe(0);
    expect((await commands.handle("/stop 1", { roles: ["admin"] })).status).toBe("ok");
  });

  test("handlers see the caller among the headers", async () => {
    const { add, commands } = setup();
    add("/who", (_, ctx: Context) => [ctx.headers, ctx.id, ctx.event]);
    const { data } = await commands.handle("/who", {
      user: "ann",
      channel: "ops",
      locale: "zh",
      id: "m1",
      roles: ["x"],
    });
    expect(data).toEqual([{ user: "ann", channel: "ops", locale: "zh" }, "m1", "who"]);
    expect((await commands.handle("/who")).data).toEqual([{}, expect.stringMatching(/^command-/), "who"]);
  });

  test("they see it behind a timeout, too", async () => {
    const { add, commands } = setup();
    add("/who", (_, ctx: Context) => ctx.headers["user"], { timeout: "1s" });
    expect((await commands.handle("/who", { user: "ann" })).text).toBe("ann");
  });
});

describe("a schema", () => {
  test("checks the whole, and its output goes to the handler", async () => {
    const { add, commands } = setup();
    const schema = z
      .object({ from: z.number(), to: z.number() })
      .refine(({ from, to }) => from < to, { message: "must come before to", path: ["from"] })
      .transform(({ from, to }) => to - from);
    add("/range <from:int> <to:int>", (input) => input, { schema });
    expect((await commands.handle("/range 3 5")).data).toBe(2);
    const { status, text } = await commands.handle("/range 5 3");
    expect(status).toBe("invalid");
    expect(text).toBe("from: must come before to\nUsage: /range <from:int> <to:int>");
  });

  test("that breaks down is a failure, not the caller's fault", async () => {
    const { add, commands } = setup();
    const schema = z.object({}).refine(() => {
      throw new Error("secret");
    });
    add("/x", undefined, { schema });
    const reply = await commands.handle("/x");
    expect(reply.status).toBe("failed");
    expect(reply.text).not.toContain("secret");
  });
});

describe("a handler that fails", () => {
  test("is named by the id of its log line, and nothing of the error is shown", async () => {
    const { add, commands, lines } = setup();
    const error = new Error("password is hunter2");
    add("/x", () => {
      throw error;
    });
    const reply = await commands.handle("/x");
    expect(reply).toMatchObject({ status: "failed", command: "x", data: undefined });
    expect(reply.error).toBe(error);
    expect(JSON.stringify(reply)).not.toContain("hunter2");
    expect(lines.map(({ level }) => level)).toEqual(["error", "info"]);
    expect(lines[0]).toMatchObject({
      level: "error",
      fields: { handler: "x", err: error, status: "failed" },
    });
    expect(reply.text).toBe(
      `/x failed. The log has the reason under the id ${String(lines[0]?.fields["id"])}.`,
    );
  });

  test.each([
    ["a payload error of its own", () => Promise.reject(new RateLimitedError("x", 5)), "failed"],
    ["undefined thrown", () => Promise.reject(undefined as unknown as Error), "failed"],
    ["a time that was up inside", () => Promise.reject(new TimeoutError("a request", "1s")), "timed_out"],
    ["a cancelled run", () => Promise.reject(new CancelledError("stopping")), "failed"],
  ])("%s ends as it should", async (_, fn, status) => {
    const { add, commands } = setup();
    add("/x", fn);
    expect((await commands.handle("/x")).status).toBe(status);
  });

  test("takes too long", async () => {
    const { add, commands, clock } = setup();
    add("/slow", () => new Promise(() => {}), { timeout: "5s" });
    const reply = commands.handle("/slow");
    await clock.advance("5s");
    expect(await reply).toMatchObject({ status: "timed_out", error: expect.any(TimeoutError) as unknown });
    expect((await reply).text).toMatch(
      /^\/slow took too long and was stopped\. Its id in the log is command-/,
    );
  });

  test("is called off, under way or before", async () => {
    const { add, commands, lines } = setup();
    add("/slow", () => new Promise(() => {}), { timeout: "5s", cooldown: "1h" });
    const stop = new AbortController();
    const reply = commands.handle("/slow", { signal: stop.signal });
    stop.abort();
    expect(await reply).toMatchObject({ status: "failed", text: "/slow was called off." });
    expect((await commands.handle("/slow", { signal: stop.signal })).text).toBe("/slow was called off.");
    expect(lines.map(({ message }) => message)).toEqual([
      "a command was called off",
      "command",
      "a command was called off",
      "command",
    ]);
  });

  test("is retried in place", async () => {
    const { add, commands, clock } = setup();
    let runs = 0;
    add("/flaky", () => (++runs < 3 ? Promise.reject(new Error("again")) : runs), {
      retry: { attempts: 3, delay: "1s" },
    });
    const reply = commands.handle("/flaky");
    await clock.advance("10s");
    expect((await reply).data).toBe(3);
  });

  test("even a log or a sentence that fails leaves a reply", async () => {
    const broken = () => {
      throw new Error("broken");
    };
    const { add, commands } = setup({
      log: { ...silentLogger, error: broken },
      messages: { en: { unknown: broken } },
    });
    add("/x", broken);
    expect((await commands.handle("/x")).status).toBe("failed");
    expect((await commands.handle("/y")).status).toBe("failed");
  });

  test("a value that cannot be shown is no failure", async () => {
    const { add, commands } = setup();
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    add("/x", () => circle);
    expect(await commands.handle("/x")).toMatchObject({
      status: "ok",
      text: "[a value that JSON cannot hold]",
      data: circle,
    });
  });
});

test("sentences can be replaced, and languages added", async () => {
  const { commands } = setup({
    messages: { en: { unknown: () => "Eh?" }, "pt-BR": { unknown: (c) => `${c} não existe` } },
  });
  const say = async (locale?: string) => (await commands.handle("/x", { locale })).text;
  expect(await say()).toBe("Eh?");
  expect(await say("fr")).toBe("Eh?");
  expect(await say("pt-br")).toBe("/x não existe");
  expect(await say("zh-TW")).toContain("没有命令");
});

function faultOf(act: () => unknown): DeclarationError {
  try {
    act();
  } catch (error) {
    if (error instanceof DeclarationError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("the audit", () => {
  test("has one line for each call: who, where, which, how it ended and how long it took", async () => {
    const { add, commands, lines, clock } = setup();
    add("/slow <n:int>", async () => {
      await clock.advance(250);
      return "secret";
    });
    await commands.handle("/slow 1", { user: "ann", channel: "ops" });
    await commands.handle("/slow x", { user: "ann", id: "call-1" });
    await commands.handle("no command");
    await commands.handle("/unknown");
    expect(lines.map(({ level, message, fields }) => ({ level, message, ...fields }))).toEqual([
      {
        level: "info",
        message: "command",
        handler: "slow",
        id: expect.any(String),
        user: "ann",
        channel: "ops",
        status: "ok",
        ms: 250,
      },
      {
        level: "info",
        message: "command",
        handler: "slow",
        id: "call-1",
        user: "ann",
        channel: undefined,
        status: "invalid",
        ms: 0,
      },
    ]);
    expect(JSON.stringify(lines)).not.toContain("secret");
  });

  test("shows what was written, or nothing at all, where the command's author says so", async () => {
    const { add, commands, lines } = setup();
    add("/loud", undefined, { audit: "text" });
    add("/quiet", undefined, { audit: false });
    await commands.handle("/loud a b");
    await commands.handle("/quiet a b");
    expect(lines).toHaveLength(1);
    expect(lines[0]?.fields["text"]).toBe("/loud a b");
  });
});

describe("types of one's own", () => {
  const even = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (text: unknown) =>
        Number(text) % 2 === 0 ? { value: Number(text) } : { issues: [{ message: "it is odd." }] },
    },
  } as const;

  test("read a text, or say that it does not fit", async () => {
    const { add, commands } = setup();
    const types = {
      even,
      upper: (text: string) => (text === text.toUpperCase() ? { text } : undefined),
      throws: (): never => {
        throw new Error("hunter2");
      },
    };
    add("/x <a:even> [b:upper...] [--c=even...] [--d=throws]", undefined, { types });
    expect((await commands.handle("/x 4 A B --c=2 --c 6")).data).toEqual({
      a: 4,
      b: [{ text: "A" }, { text: "B" }],
      c: [2, 6],
    });
    expect((await commands.handle("/x 3")).text).toContain('a: "3" does not fit. it is odd.');
    expect((await commands.handle("/x 4 b")).text).toContain('b: "b" does not fit. Give a upper.');
    const failed = await commands.handle("/x 4 --d=1");
    expect([failed.status, failed.text.includes("hunter2")]).toEqual(["invalid", false]);
  });

  test.each([
    [{ int: () => 1 }, '"int" is a built-in type'],
    [{ "a b": () => 1 }, "needs a name"],
    [{ color: "red" }, "neither a function"],
    ["red", "types is an object"],
  ])("that are none are refused: %j", (types, why) => {
    const { add } = setup();
    expect(() => add("/x", undefined, { types } as unknown as CommandOptions)).toThrow(why);
  });

  test("that are not known are refused where they stand, with those there are", () => {
    const { add } = setup();
    expect(() => add("/x <a:colour>", undefined, { types: { color: () => 1 } })).toThrow(
      'Did you mean "color"?',
    );
  });
});

test("runs are counted by how they ended, whether they throw at once, later or not at all", async () => {
  const { registry, pipeline, commands, add } = setup();
  add("/work <how>", (args) => {
    const { how } = args as { how: string };
    if (how === "throw") throw new Error("now");
    if (how === "reject") return Promise.reject(new Error("later"));
    if (how === "cancel") return cancel("pointless");
    return how === "snooze" ? snooze("1s") : how;
  });
  const [handler] = registry.list();
  const { stats } = pipeline.runner(handler as typeof handler & {});
  const ways = ["fine", "throw", "reject", "cancel", "snooze"];
  // More often than runs are timed: those that are and those that are not must be counted alike.
  for (let n = 0; n < 100; n++) for (const how of ways) await commands.handle(`/work ${how}`);
  expect(stats).toMatchObject({ ok: 100, error: 200, cancelled: 100, snoozed: 100, running: 0 });
  expect(stats.duration.counts.reduce((sum, count) => sum + count)).toBeGreaterThan(0);
});
