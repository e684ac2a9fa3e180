import { describe, expect, test } from "vitest";
import { CommandDispatcher } from "../../src/commands/command-dispatcher.ts";
import type { PrefixOption } from "../../src/commands/prefixes.ts";
import { createCommandOn } from "../../src/declare/command-on.ts";
import { silentLogger } from "../../src/log.ts";
import { HandlerRegistry } from "../../src/registry.ts";

function setup(prefix: PrefixOption) {
  const registry = new HandlerRegistry();
  const commandOn = createCommandOn(registry);
  commandOn("add", "/add <a:int>", { aliases: ["/plus"] }).execute(({ a }) => a + 1);
  commandOn("ban", "!ban <who>").execute(({ who }) => who);
  commandOn("drop", "/drop", { confirm: true }).execute(() => "dropped");
  return new CommandDispatcher({ registry, prefix, log: silentLogger });
}

describe("a prefix of one's own", () => {
  test("stands in place of the slash, in what is read and in what is said", async () => {
    const commands = setup("?");
    expect((await commands.handle("?add 1")).data).toBe(2);
    expect((await commands.handle("/add 1")).status).toBe("not_a_command");
    expect((await commands.handle("?add x")).text).toContain("Usage: ?add <a:int>");
    expect((await commands.handle("?ad 1")).text).toBe('There is no command "?ad". Did you mean ?add?');
    expect((await commands.handle("?help add")).text).toBe("Usage: ?add <a:int>\nAlso: ?plus");
    expect((await commands.handle("?help ?add")).text).toBe("Usage: ?add <a:int>\nAlso: ?plus");
    expect((await commands.handle("?help")).text).toContain("?add <a:int>");
    expect((await commands.handle("?drop")).text).toMatch(
      /^\?drop needs your confirmation\. Write \?confirm \w{4} /,
    );
    // What is declared with another sign keeps it.
    expect((await commands.handle("!ban ann")).data).toBe("ann");
  });

  test("may be one of several, the longest first", async () => {
    const commands = setup(["!", "!!", "bot/"]);
    expect((await commands.handle("!!add 1")).data).toBe(2);
    expect((await commands.handle("bot/add 1")).data).toBe(2);
    expect((await commands.handle("!add 1")).data).toBe(2);
    expect((await commands.handle("!")).status).toBe("not_a_command");
  });

  test("may be each channel's own", async () => {
    const commands = setup(({ channel }) => (channel === "dev" ? ["%", "/"] : "/"));
    expect((await commands.handle("%add 1", { channel: "dev" })).data).toBe(2);
    expect((await commands.handle("/add 1", { channel: "dev" })).data).toBe(2);
    expect((await commands.handle("%add 1", { channel: "ops" })).status).toBe("not_a_command");
    expect((await commands.handle("/add 1")).data).toBe(2);
  });

  test("that is none is refused, by a function at the call", async () => {
    for (const prefix of ["", "a b", [], [""], 5] as PrefixOption[]) {
      expect(() => setup(prefix)).toThrow(expect.objectContaining({ code: "PREFIX_INVALID" }));
    }
    const commands = setup(() => "");
    expect(await commands.handle("/add 1")).toMatchObject({
      status: "failed",
      error: { code: "PREFIX_INVALID" },
    });
  });
});
