import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { confirm, needConfirmation, type Terminal } from "../../src/cli/confirm.ts";

function terminal(isTTY: boolean): { ends: Terminal; input: PassThrough; written: () => string } {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = Object.assign(new PassThrough(), { isTTY });
  return { ends: { input, output }, input, written: () => String(output.read() ?? "") };
}

test.each(["y", "Y", "yes", " yes "])("%j is a yes", async (answer) => {
  const { ends, input, written } = terminal(true);
  const asked = confirm("Discard 3 dead letters", false, ends);
  input.write(`${answer}\n`);
  await asked;
  expect(written()).toContain("Discard 3 dead letters? This cannot be undone. [y/N]");
});

test.each(["", "n", "no", "yeah"])("%j is a no", async (answer) => {
  const { ends, input } = terminal(true);
  const asked = confirm("Discard", false, ends);
  input.write(`${answer}\n`);
  await expect(asked).rejects.toMatchObject({ code: "NOT_CONFIRMED", exit: 1 });
});

test("the end of the input is a no", async () => {
  const { ends, input } = terminal(true);
  const asked = confirm("Discard", false, ends);
  input.end();
  await expect(asked).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
});

test("--yes is not asked, and needs no terminal", async () => {
  const { ends, written } = terminal(false);
  needConfirmation(true, ends);
  await confirm("Discard", true, ends);
  expect(written()).toBe("");
});

test("without a terminal it is refused", async () => {
  const { ends } = terminal(false);
  expect(() => needConfirmation(false, ends)).toThrow("Give --yes");
  await expect(confirm("Discard", false, ends)).rejects.toMatchObject({
    code: "CONFIRMATION_NEEDED",
    exit: 2,
  });
});
