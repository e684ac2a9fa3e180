import { expect, test } from "vitest";
import { Suspects } from "../../src/delivery/suspects.ts";
import type { Claim } from "../../src/engine.ts";

const ATTEMPTS = 3;

test("of those on their last attempt after a process died, one runs and the others wait", () => {
  const suspects = new Suspects();
  const [first, second, fresh] = [claim(3), claim(3), claim(1)];
  expect(suspects.part([first, second, fresh], () => ATTEMPTS)).toEqual({
    now: [first, fresh],
    later: [second],
  });
  expect(suspects.part([second], () => ATTEMPTS)).toEqual({ now: [], later: [second] });
  suspects.ended(fresh);
  expect(suspects.part([second], () => ATTEMPTS).later).toEqual([second]);
  suspects.ended(first);
  expect(suspects.part([second], () => ATTEMPTS)).toEqual({ now: [second], later: [] });
});

test("those whose attempts failed, each with its error, are none; nor are those with attempts left", () => {
  const failed = claim(3, '[{"attempt":1},{"attempt":2}]');
  const once = claim(3, '[{"attempt":1}]');
  const early = claim(2);
  const suspects = new Suspects();
  expect(suspects.part([failed, early, claim(1)], () => ATTEMPTS).later).toEqual([]);
  expect(suspects.part([once, claim(3, "not JSON")], () => ATTEMPTS).later).toHaveLength(1);
});

test("one whose attempts are used up is not kept waiting: it is buried, not run", () => {
  const suspects = new Suspects();
  expect(suspects.part([claim(3), claim(4), claim(4)], () => ATTEMPTS).later).toEqual([]);
});

function claim(attempt: number, errors?: string): Claim {
  return {
    id: "m",
    handler: "h",
    seq: 1,
    token: 1,
    event: "e",
    payload: "{}",
    headers: undefined,
    attempt,
    priority: 0,
    key: undefined,
    publishedAt: 0,
    due: 0,
    expires: undefined,
    steps: undefined,
    errors,
  };
}
