import { expect, test } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { handleLine, type LineHandler } from "../../src/sources/line-handling.ts";
import { listeningLog } from "./follow-setup.ts";

/** Fires each timer at once and keeps how long it was to be. */
function hurriedClock(): { readonly clock: Clock; readonly pauses: number[] } {
  const pauses: number[] = [];
  const clock: Clock = {
    now: () => 0,
    elapsed: () => 0,
    setTimer(run, ms) {
      pauses.push(ms);
      queueMicrotask(run);
      return { cancel: () => {} };
    },
  };
  return { clock, pauses };
}

function handle(onLine: LineHandler, stopping = new AbortController().signal) {
  const { clock, pauses } = hurriedClock();
  const { log, said } = listeningLog();
  const handled = handleLine(onLine, "text", { file: "app.log", offset: 7 }, { clock, log, stopping });
  return { handled, pauses, said };
}

test("a line on which the handler fails is given to it again", async () => {
  let calls = 0;
  const { handled, pauses, said } = handle(() => {
    if (++calls < 3) throw new Error("not yet");
  });
  expect(await handled).toBe(true);
  expect(pauses).toEqual([1_000, 2_000]);
  expect(said).toEqual(Array(2).fill("error: a line could not be handled: it will be tried again"));
});

test("after five failures it is passed over, and the log says so", async () => {
  let calls = 0;
  const { handled, pauses, said } = handle(async () => {
    calls++;
    throw new Error("never");
  });
  expect(await handled).toBe(true);
  expect(calls).toBe(5);
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(said.at(-1)).toBe("error: a line could not be handled: it is passed over");
});

test("a stop ends the trying, and the line counts as not handled", async () => {
  const stopping = new AbortController();
  const { handled, pauses } = handle(() => {
    stopping.abort();
    throw new Error("no");
  }, stopping.signal);
  expect(await handled).toBe(false);
  expect(pauses).toEqual([]);
});
