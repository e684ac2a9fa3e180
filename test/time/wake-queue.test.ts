import fc from "fast-check";
import { expect, test } from "vitest";
import { WakeQueue } from "../../src/time/wake-queue.ts";

test("the first is always the earliest, whatever is put in, moved and taken out", () => {
  const step = fc.record({
    item: fc.nat(15),
    what: fc.constantFrom("set", "set", "set", "remove", "clear?"),
    wake: fc.integer({ min: -3, max: 30 }).map((wake) => wake / 2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const items = Array.from({ length: 16 }, () => ({ slot: -1 }));
      const queue = new WakeQueue<{ slot: number }>();
      const model = new Map<object, number>();
      for (const [at, { item, what, wake }] of steps.entries()) {
        const one = items[item] as { slot: number };
        if (what === "set") {
          queue.set(one, wake);
          model.set(one, wake);
        } else if (what === "remove") {
          queue.remove(one);
          model.delete(one);
        } else if (at % 20 === 0) {
          queue.clear();
          model.clear();
        }
        const earliest = model.size === 0 ? undefined : Math.min(...model.values());
        const first = queue.peek();
        expect(queue.next).toBe(earliest);
        expect(first && model.get(first)).toBe(earliest);
        for (const other of items) expect(other.slot >= 0).toBe(model.has(other));
      }
    }),
  );
});
