import { createHash } from "node:crypto";
import { withoutNul } from "./statement.ts";

/** An entry of an index has 2,704 bytes at the most. */
const LONGEST = 500;

/** A key as its table has it: itself, or of a very long one what stands for it. */
export function shortKey(key: string): string {
  if (key.length <= LONGEST) return withoutNul(key);
  return `${withoutNul(key.slice(0, 100))}#${createHash("sha256").update(key).digest("hex")}`;
}
