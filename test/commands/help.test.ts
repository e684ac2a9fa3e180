import { expect, test } from "vitest";
import { CommandDispatcher } from "../../src/commands/command-dispatcher.ts";
import type { CommandOptions } from "../../src/handler.ts";
import { HandlerRegistry } from "../../src/registry.ts";

function setup(...declared: [usage: string, options?: CommandOptions][]) {
  const registry = new HandlerRegistry();
  const commands = new CommandDispatcher({ registry });
  for (const [usage, options = {}] of declared) {
    registry.add({ kind: "command", name: usage, usage, options, fn: () => usage, site: "app.ts:1" });
  }
  return async (text: string, roles?: string[], locale?: string) => commands.handle(text, { roles, locale });
}

const DECLARED: [string, CommandOptions?][] = [
  [
    "/backup [mode:full|incremental]",
    { description: "Saves everything.", aliases: ["/bk"], cooldown: "60s" },
  ],
  ["/db migrate <to:int>"],
  ["/db status", { description: "Shows the version." }],
  ["/stop", { roles: ["operate"] }],
  ["/secret", { hidden: true }],
];

test("/help lists what the caller may use, and not what is hidden", async () => {
  const say = setup(...DECLARED);
  expect(await say("/help")).toMatchObject({
    status: "ok",
    command: "help",
    text: [
      "Commands:",
      "  /backup [mode:full|incremental]  Saves everything.",
      "  /db migrate <to:int>",
      "  /db status  Shows the version.",
      'Write "/help COMMAND" to learn more about one of them.',
    ].join("\n"),
  });
  expect((await say("/HELP", ["operate"])).text).toContain("\n  /stop\n");
  expect((await say("/help", [], "zh")).text).toMatch(/^命令列表：\n/);
});

test("/help COMMAND explains one, with or without its prefix", async () => {
  const say = setup(...DECLARED);
  const backup =
    "/backup: Saves everything.\nUsage: /backup [mode:full|incremental]\nAlso: /bk\nMay be used once in 1m.";
  for (const topic of ["backup", "/backup", "bk", "BACKUP"]) {
    expect((await say(`/help ${topic}`)).text).toBe(backup);
  }
  expect((await say("/help db migrate")).text).toBe("Usage: /db migrate <to:int>");
  expect((await say("/help db")).text).toContain(
    "  /db migrate <to:int>\n  /db status  Shows the version.\n",
  );
});

test("/help says nothing of commands that are hidden, not for the caller, or not there", async () => {
  const say = setup(...DECLARED);
  for (const topic of ["secret", "stop", "nothing"]) {
    expect(await say(`/help ${topic}`)).toMatchObject({
      status: "unknown",
      text: `There is no command "/${topic}".`,
    });
  }
  expect((await say("/secre")).text).not.toContain("/secret");
  expect((await say("/help bakcup")).text).toContain("Did you mean /backup?");
  expect((await say("/help db nope")).status).toBe("unknown");
});

test("words that only lead to commands name them", async () => {
  const say = setup(...DECLARED);
  expect(await say("/db")).toMatchObject({
    status: "unknown",
    text: "/db alone does nothing. Write one of these: /db migrate, /db status.",
  });
  expect((await say("/db xyz")).text).toBe(
    'There is no command "/db xyz". Did you mean /db migrate or /db status?',
  );
  expect((await say("/db mi")).text).toBe('There is no command "/db mi". Did you mean /db migrate?');
  expect((await say("/bac")).text).toBe('There is no command "/bac". Did you mean /backup?');
  expect((await say("/db migrat 5")).text).toBe(
    'There is no command "/db migrat". Did you mean /db migrate?',
  );
});

test("a declared /help replaces the built-in one, and other prefixes have one, too", async () => {
  const say = setup(["/help"], ["!ban <who>"]);
  expect((await say("/help")).text).toBe("/help");
  expect((await say("!help ban")).text).toBe("Usage: !ban <who>");
});

test("without commands, and with very many", async () => {
  expect((await setup()("/help")).text).toBe("There are no commands that you may use.");
  const many = setup(...Array.from({ length: 3_000 }, (_, at): [string] => [`/command${at}`]));
  const lines = (await many("/help")).text.split("\n");
  expect(lines).toHaveLength(53);
  expect(lines[51]).toBe("  … and 2950 more.");
  expect((await many("/commnad7")).text).toContain("/command7");
});

test("what was written is shown on one line and not at any length", async () => {
  const say = setup();
  const { text } = await say(`/${"x".repeat(1_000)}`);
  expect(text.length).toBeLessThan(120);
  expect((await say("/a\u001b[31mb")).text).toBe('There is no command "/a [31mb".');
});
