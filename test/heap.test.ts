import fc from "fast-check";
import { expect, test } from "vitest";
import { Heap } from "../src/heap.ts";

interface Item {
  slot: number;
  readonly value: number;
}

const item = (value: number): Item => ({ slot: -1, value });
const before = (a: Item, b: Item) => a.value < b.value;

test("items come out in order, whatever was pushed and removed in between", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.nat(), fc.nat(2))), (steps) => {
      const heap = new Heap<Item>(before);
      const model: Item[] = [];
      for (const [value, pick, action] of steps) {
        if (action < 2) {
          const added = item(value);
          heap.push(added);
          model.push(added);
        } else if (model.length > 0) {
          const [removed] = model.splice(pick % model.length, 1);
          if (removed) heap.remove(removed);
        }
        const least = model.reduce((min, { value: other }) => Math.min(min, other), Infinity);
        expect(heap.peek()?.value ?? Infinity).toBe(least);
        expect(heap.size).toBe(model.length);
      }
      const out: number[] = [];
      for (let next = heap.pop(); next; next = heap.pop()) out.push(next.value);
      expect(out).toEqual(model.map(({ value }) => value).sort((a, b) => a - b));
    }),
  );
});

test("an item that is not in the heap is not removed", () => {
  const heap = new Heap<Item>(before);
  const [inside, popped, outside] = [item(1), item(0), item(1)];
  heap.push(inside);
  heap.push(popped);
  expect(heap.pop()).toBe(popped);
  expect(heap.remove(popped)).toBe(false);
  expect(heap.remove(outside)).toBe(false);
  expect([...heap.values()]).toEqual([inside]);
});
