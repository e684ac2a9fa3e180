import fc from "fast-check";
import { expect, test } from "vitest";
import { CommandDispatcher } from "../../src/commands/command-dispatcher.ts";
import type { ReplyStatus } from "../../src/commands/reply.ts";
import { createCommandOn } from "../../src/declare/command-on.ts";
import { memoryEngine } from "../../src/engines/memory/engine.ts";
import { silentLogger } from "../../src/log.ts";
import { bareEnvironment } from "../../src/pipeline/environment.ts";
import { Pipeline } from "../../src/pipeline/pipeline.ts";
import { HandlerRegistry } from "../../src/registry.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { declareTranscriptCommands } from "./transcript.ts";

const WINDOW = 10_000;
const LIMIT = 3;

/** What may be done, and how a call of it is written. */
const calls = fc.constantFrom<readonly [text: string, roles: readonly string[], aborted?: true]>(
  ["/work 1", ["op"]],
  ["/work 2", ["op"]],
  ["/work x", ["op"]],
  ["/work 1 2", ["op"]],
  ["/work 'open", ["op"]],
  ["/work 13", ["op"]],
  ["/work 99", ["op"]],
  ["/work 1", []],
  ["/work 1", ["op"], true],
);
const steps = fc.array(
  fc.oneof({ weight: 4, arbitrary: calls }, { weight: 1, arbitrary: fc.integer({ min: 1, max: WINDOW }) }),
  { maxLength: 40 },
);

test("a call that is refused costs nothing: over any calls, exactly those that ran have been counted", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const clock = new VirtualClock();
      const engine = memoryEngine();
      const instance = { id: "i", host: "h", pid: 1, version: "1", startedAt: 0 };
      await engine.start({ clock, lease: 30_000, instance });
      const registry = new HandlerRegistry();
      let ran = 0;
      const odd = {
        "~standard": {
          version: 1,
          vendor: "test",
          validate: (value: unknown) =>
            (value as { n: number }).n === 99 ? { issues: [{ message: "not 99" }] } : { value },
        },
      } as const;
      createCommandOn(registry)("work", "/work <n:int>", {
        roles: ["op"],
        schema: odd,
        cooldown: { per: "1s" },
        rateLimit: { limit: LIMIT, per: WINDOW },
      }).execute((args) => {
        ran++;
        if ((args as { n: number }).n === 13) throw new Error("no");
      });
      const environment = {
        ...bareEnvironment(),
        clock,
        log: silentLogger,
        limits: engine.limits,
        state: engine.state,
      };
      const commands = new CommandDispatcher({ registry, pipeline: new Pipeline(environment) });
      // The model: the moments of the calls that ran, and nothing else.
      const uses: number[] = [];
      for (const step of script) {
        if (typeof step === "number") {
          await clock.advance(step);
          continue;
        }
        const [text, roles, aborted] = step;
        const before = ran;
        const now = clock.now();
        const { status } = await commands.handle(text, {
          roles,
          ...(aborted && { signal: AbortSignal.abort() }),
        });
        const recent = uses.filter((use) => use > now - WINDOW).length;
        const open = recent < LIMIT && (uses.at(-1) ?? -Infinity) <= now - 1_000;
        const fits = roles.includes("op") && /^\/work (1|2|13)$/.test(text) && !aborted;
        expect(ran - before).toBe(fits && open ? 1 : 0);
        if (ran > before) uses.push(now);
        const wanted: ReplyStatus = !roles.includes("op")
          ? "denied"
          : !/^\/work \d+$/.test(text) || text.endsWith("99")
            ? "invalid"
            : aborted
              ? "failed"
              : !open
                ? "cooling_down"
                : text.endsWith("13")
                  ? "failed"
                  : "ok";
        expect(status).toBe(wanted);
      }
      await engine.stop();
    }),
    { numRuns: 300 },
  );
});

test("any text whatever gets a reply that can be shown, and never a stack", async () => {
  const registry = new HandlerRegistry();
  declareTranscriptCommands(registry);
  const commands = new CommandDispatcher({ registry, log: silentLogger });
  const statuses = new Set<ReplyStatus>();
  const words = fc.constantFrom(
    "/user",
    "/note",
    "/add",
    "/echo",
    "/天气",
    "／add",
    "/help",
    "/confirm",
    "/paint",
    "5",
    "ban",
    "--for=",
    "--tag",
    "--",
    "'",
    '"',
    "「",
    "\\",
    "--dry-run",
    "__proto__",
    "constructor",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc.array(fc.oneof(words, fc.string({ unit: "binary", maxLength: 8 }))).map((parts) => parts.join(" ")),
  );
  await fc.assert(
    fc.asyncProperty(text, async (written) => {
      const reply = await commands.handle(written, { user: written.slice(0, 5) });
      statuses.add(reply.status);
      expect(typeof reply.text).toBe("string");
      expect(reply.text).not.toMatch(/\bat .+:\d+:\d+|hunter2/);
      expect(() => JSON.stringify(reply)).not.toThrow();
    }),
    { numRuns: 3_000 },
  );
  expect(statuses.size).toBeGreaterThan(3);
});
