import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { Progress } from "../../src/cli/progress.ts";

function shown(isTTY: boolean): string {
  const stream = Object.assign(new PassThrough(), { isTTY });
  {
    using progress = new Progress("replayed", stream);
    progress.show(0, 4);
    progress.show(4, 4);
  }
  return String(stream.read() ?? "");
}

test("a bar on a terminal, taken away when the work has ended", () => {
  const text = shown(true);
  expect(text).toContain(`\r${"░".repeat(24)} replayed 0 of 4 (0 %)`);
  expect(text).toContain(`\r${"█".repeat(24)} replayed 4 of 4 (100 %)`);
  expect(text.endsWith("\r\u001b[2K")).toBe(true);
});

test("nothing anywhere else", () => {
  expect(shown(false)).toBe("");
});
