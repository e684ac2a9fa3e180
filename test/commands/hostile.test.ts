import { expect, test } from "vitest";
import { CommandDispatcher } from "../../src/commands/command-dispatcher.ts";
import { tokenize } from "../../src/commands/tokenize.ts";
import { bind } from "../../src/commands/bind.ts";
import { parseUsage } from "../../src/commands/usage.ts";
import { createCommandOn } from "../../src/declare/command-on.ts";
import { silentLogger } from "../../src/log.ts";
import { HandlerRegistry } from "../../src/registry.ts";

/* Texts that somebody writes to do harm. */

const usage = parseUsage("/f [n:number] [x:int...] [--a] [--b=int...]");
const TEXTS: Record<string, (size: number) => string> = {
  "a number of many digits": (size) => `${"1".repeat(size)}x`,
  "a number of many digits behind a point": (size) => `1.${"1".repeat(size)}e`,
  "many words that do not fit": (size) => `1 ${"x ".repeat(size / 2)}`,
  "many flags that there are not": (size) => "--c ".repeat(size / 4),
  "one flag many times": (size) => "--b=x ".repeat(size / 6),
  "many quotes in one word": (size) => `--a${"'a".repeat(size / 2)}`,
  "many equals signs and quotes": (size) => `--a${`='`.repeat(size / 2)}`,
  "many backslashes": (size) => "\\".repeat(size),
  "an open quote and much behind it": (size) => `"${"a ".repeat(size / 2)}`,
};

function milliseconds(text: string): number {
  const start = performance.now();
  bind(usage, tokenize(text).tokens);
  return performance.now() - start;
}

test.each(Object.keys(TEXTS))("%s take time in proportion to their length", (name) => {
  const make = TEXTS[name] ?? String;
  const size = 64_000;
  const least = (length: number): number =>
    Math.min(...Array.from({ length: 5 }, () => milliseconds(make(length))));
  milliseconds(make(size));
  const short = least(size);
  // Sixteen times the text: in proportion it takes sixteen times as long, by the square 256 times.
  expect(least(16 * size)).toBeLessThan(Math.max(short, 1) * 80);
});

test("of ten thousand words that do not fit, a reply names ten", () => {
  expect(bind(usage, tokenize(`1 ${"x ".repeat(10_000)}`).tokens).problems).toHaveLength(10);
});

test("a role that is no list of roles is none", async () => {
  const registry = new HandlerRegistry();
  createCommandOn(registry)("health", "/health", { roles: ["operate"] }).execute(() => "fine");
  const commands = new CommandDispatcher({ registry, log: silentLogger });
  for (const roles of ["operate", "cooperate", { operate: true }, null])
    expect((await commands.handle("/health", { roles } as never)).status).toBe("denied");
  expect((await commands.handle("/health", { roles: ["operate"] })).status).toBe("ok");
});

test("a type that is asynchronous is an error of whoever declared it, and no unhandled rejection", async () => {
  const registry = new HandlerRegistry();
  const types = { color: (async () => Promise.reject(new Error("no"))) as never };
  createCommandOn(registry)("paint", "/paint <c:color>", { types }).execute(() => "painted");
  const commands = new CommandDispatcher({ registry, log: silentLogger });
  expect((await commands.handle("/paint red")).status).toBe("failed");
});

test("a type named like what every object has is told of by its name", async () => {
  const registry = new HandlerRegistry();
  const types = { constructor: () => undefined };
  createCommandOn(registry)("make", "/make <c:constructor>", { types }).execute(() => "made");
  const commands = new CommandDispatcher({ registry, log: silentLogger });
  expect((await commands.handle("/make x")).text).toContain("Give a constructor.");
});

test("a word of three hundred letters looks like no short command", async () => {
  const registry = new HandlerRegistry();
  createCommandOn(registry)("n", "/n").execute(() => "n");
  const commands = new CommandDispatcher({ registry, log: silentLogger });
  expect((await commands.handle(`/${"x".repeat(300)}`)).text).not.toContain("Did you mean");
});
