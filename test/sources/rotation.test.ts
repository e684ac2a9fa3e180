import {
  appendFile,
  copyFile,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { setUp, until } from "./follow-setup.ts";

/** File systems keep times in steps of some milliseconds; moving them apart makes the order of two files certain. */
async function age(file: string, seconds: number): Promise<void> {
  const { mtimeMs } = await stat(file);
  await utimes(file, mtimeMs / 1000 - seconds, mtimeMs / 1000 - seconds);
}

/** The packed file has the times of the plain one, which goes. */
async function gzip(file: string): Promise<void> {
  await promisify(execFile)("gzip", [file]);
}

/** The packed file has the time of its making, as with most programs that are not gzip itself. */
async function gzipAnew(file: string, seconds = 0): Promise<void> {
  await writeFile(`${file}.gz`, gzipSync(await readFile(file)));
  await rm(file);
  await age(`${file}.gz`, seconds);
}

async function running() {
  const room = await setUp();
  const one = room.follower({ fromStart: true });
  await room.append("one\n");
  await one.start();
  await one.caughtUp();
  return { ...room, one };
}

describe("while the follower runs", () => {
  test("rotation by rename: the old file is finished, then the new one is read", async () => {
    const { file, append, one, lines } = await running();
    await append("two\n");
    await rename(file, `${file}.1`);
    await appendFile(`${file}.1`, "three\nfour without its end");
    await append("five\n");
    await one.caughtUp();
    expect(lines).toEqual(["one", "two", "three", "four without its end", "five"]);
  });

  test("the old file is compressed at once: it is not read again", async () => {
    const { file, append, one, lines } = await running();
    await append("two\n");
    await one.caughtUp();
    await rename(file, `${file}.1`);
    await gzip(`${file}.1`);
    await append("three\n");
    await one.caughtUp();
    await rename(file, `${file}.2`);
    await append("four\n");
    await one.caughtUp();
    await gzip(`${file}.2`);
    await append("five\n");
    await one.caughtUp();
    expect(lines).toEqual(["one", "two", "three", "four", "five"]);
  });

  test("compressed with a new time long after its last line: it is not read again", async () => {
    const { file, append, one, lines } = await running();
    await append("two\n");
    await age(file, 60);
    await one.caughtUp();
    await rename(file, `${file}.1`);
    await append("");
    await gzipAnew(`${file}.1`);
    await append("three\n");
    await one.caughtUp();
    expect(lines).toEqual(["one", "two", "three"]);
  });

  test("compressed with a new time one rotation later: it is not read again", async () => {
    const { file, append, one, lines, follower } = await running();
    await age(file, 60);
    await one.caughtUp();
    await rename(file, `${file}.1`);
    await append("two\n");
    await age(file, 30);
    await one.caughtUp();
    await rename(`${file}.1`, `${file}.2`);
    await rename(file, `${file}.1`);
    await gzipAnew(`${file}.2`);
    await append("three\n");
    await one.caughtUp();
    await one.stop();
    const two = follower();
    await two.start();
    await rename(`${file}.1`, `${file}.3`);
    await gzipAnew(`${file}.3`);
    await rename(file, `${file}.1`);
    await append("four\n");
    await two.caughtUp();
    expect(lines).toEqual(["one", "two", "three", "four"]);
  });

  test("what was rotated before it was followed, and is compressed later, is not read", async () => {
    const { file, append, follower, lines } = await setUp();
    await writeFile(`${file}.1`, "before\n");
    await append("before, too\n");
    const one = follower();
    await one.start();
    await append("one\n");
    await one.caughtUp();
    await rename(`${file}.1`, `${file}.2`);
    await rename(file, `${file}.1`);
    await gzipAnew(`${file}.2`, -10);
    await append("two\n");
    await one.caughtUp();
    expect(lines).toEqual(["one", "two"]);
  });

  test("added to after it was left: what was added is read before the next new file", async () => {
    const { file, append, one, lines } = await running();
    await rename(file, `${file}.2`);
    await append("two\n");
    await one.caughtUp();
    await appendFile(`${file}.2`, "late\n");
    await age(`${file}.2`, -10);
    await rename(file, `${file}.1`);
    await append("three\n");
    await one.caughtUp();
    expect(lines).toEqual(["one", "two", "late", "three"]);
  });

  test("an empty new file is not gone over to yet: the writer may still write to the old one", async () => {
    const { file, append, one, lines } = await running();
    await rename(file, `${file}.1`);
    await append("");
    await one.caughtUp();
    await appendFile(`${file}.1`, "late\n");
    await append("new\n");
    await one.caughtUp();
    expect(lines).toEqual(["one", "late", "new"]);
  });

  test("whatever the order of lines, rotations, looks and restarts, each line comes once", async () => {
    const step = fc.constantFrom(
      "line",
      "line",
      "line",
      "part",
      "rotate",
      "pack",
      "packLate",
      "look",
      "restart",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { folder, file, follower, lines } = await setUp();
        let one = follower({ fromStart: true });
        await writeFile(file, "start\n");
        await one.start();
        let expected = "start\n";
        const plain: string[] = [];
        for (const [index, what] of steps.entries()) {
          const text = what === "line" || what === "pack" ? `${index}\n` : what === "part" ? `${index} ` : "";
          await appendFile(file, text);
          expected += text;
          if (what === "look") await one.caughtUp();
          if (what === "rotate" || what === "pack") {
            // Only whole lines: a rotated file's last line is given out though it has no end.
            await appendFile(file, "\n");
            expected += "\n";
            await rename(file, join(folder, `app.log.${index}`));
            if (what === "pack") await gzip(join(folder, `app.log.${index}`));
            else plain.push(join(folder, `app.log.${index}`));
          }
          const late = what === "packLate" && plain.shift();
          if (late) await gzipAnew(late);
          if (what === "restart") {
            await one.stop();
            one = follower();
            await one.start();
          }
        }
        await appendFile(file, "end\n");
        await one.caughtUp();
        await one.stop();
        // Sorted: two files that were written in one step of the file system's time may change places.
        expect(lines.toSorted()).toEqual(`${expected}end`.split("\n").toSorted());
      }),
      { numRuns: 30 },
    );
  });

  test("rotated twice between two looks", async () => {
    const { file, append, one, lines } = await running();
    await age(file, 20);
    await one.caughtUp();
    await rename(file, `${file}.2`);
    await writeFile(`${file}.1`, "two\n");
    await age(`${file}.1`, 10);
    await append("three\n");
    await one.caughtUp();
    expect(lines).toEqual(["one", "two", "three"]);
  });

  test("removed: waits, and reads the new file from its start", async () => {
    const { file, append, one, lines } = await running();
    await rm(file);
    await one.caughtUp();
    await append("two\n");
    await until(() => lines.length === 2);
    expect(lines).toEqual(["one", "two"]);
  });

  test("truncated: reads from the start, whether the new content is shorter or longer", async () => {
    const { file, append, one, lines } = await running();
    await append("two\nthr");
    await one.caughtUp();
    await truncate(file);
    await append("a\n");
    await one.caughtUp();
    await writeFile(file, "longer than everything that was in it before\n");
    await one.caughtUp();
    expect(lines).toEqual(["one", "two", "a", "longer than everything that was in it before"]);
  });

  test("copied and truncated: what was written in between is read from the copy", async () => {
    const { file, append, one, lines } = await running();
    await append("two\n");
    await copyFile(file, `${file}.1`);
    await truncate(file);
    await append("three, and more than there was before\n");
    await one.caughtUp();
    await append("four\n");
    await one.caughtUp();
    expect(lines).toEqual(["one", "two", "three, and more than there was before", "four"]);
  });

  test("another program's files beside it are left alone", async () => {
    const { folder, file, append, one, lines } = await running();
    await rename(file, `${file}.1`);
    await writeFile(join(folder, "app-2.log"), "not ours\n");
    await writeFile(join(folder, "app.log.0.xz"), "not ours\n");
    await append("two\n");
    await one.caughtUp();
    expect(lines).toEqual(["one", "two"]);
  });

  test("a link that is set to a new file", async () => {
    const { folder, file, follower, lines } = await setUp();
    await writeFile(join(folder, "first"), "one\n");
    await symlink("first", file);
    const one = follower({ fromStart: true });
    await one.start();
    await one.caughtUp();
    await writeFile(join(folder, "second"), "two\n");
    await symlink("second", `${file}.new`);
    await rename(`${file}.new`, file);
    await one.caughtUp();
    expect(lines).toEqual(["one", "two"]);
  });
});

describe("while nobody reads", () => {
  async function stopped() {
    const room = await running();
    await room.one.stop();
    return { ...room, next: room.follower() };
  }

  test("rotated: the old file is finished first", async () => {
    const { file, append, next, lines } = await stopped();
    await append("two\n");
    await rename(file, `${file}.1`);
    await append("three\n");
    await next.start();
    await next.caughtUp();
    expect(lines).toEqual(["one", "two", "three"]);
  });

  test("rotated, and the new file is not there yet", async () => {
    const { file, append, next, lines } = await stopped();
    await append("two\n");
    await rename(file, `${file}.1`);
    await next.start();
    await next.caughtUp();
    await append("three\n");
    await next.caughtUp();
    expect(lines).toEqual(["one", "two", "three"]);
  });

  test("rotated three times", async () => {
    const { file, append, next, lines } = await stopped();
    await append("two\n");
    await age(file, 30);
    await rename(file, `${file}.3`);
    for (const [generation, text] of [
      ["2", "three\n"],
      ["1", "four\n"],
    ] as const) {
      await writeFile(`${file}.${generation}`, text);
      await age(`${file}.${generation}`, Number(generation) * 10);
    }
    await append("five\n");
    await next.start();
    await next.caughtUp();
    expect(lines).toEqual(["one", "two", "three", "four", "five"]);
  });

  test("the old file is compressed: the one rotated after it is still read", async () => {
    const { file, append, next, lines } = await stopped();
    await writeFile(`${file}.2.gz`, gzipSync("one\nlost\n"));
    await rm(file);
    await writeFile(`${file}.1`, "two\n");
    await utimes(`${file}.1`, Date.now() / 1000 + 10, Date.now() / 1000 + 10);
    await append("three\n");
    await next.start();
    await next.caughtUp();
    expect(lines).toEqual(["one", "lost", "two", "three"]);
  });

  test("rotated twice and compressed: the rest of each is read, once", async () => {
    const { file, append, next, lines, follower } = await stopped();
    await append("two\n");
    await rename(file, `${file}.2`);
    await gzip(`${file}.2`);
    await writeFile(`${file}.1`, "three\n");
    await age(`${file}.1`, -10);
    await gzip(`${file}.1`);
    await append("four\n");
    await age(file, -20);
    await next.start();
    await next.caughtUp();
    await next.stop();
    const again = follower();
    await again.start();
    await append("five\n");
    await again.caughtUp();
    expect(lines).toEqual(["one", "two", "three", "four", "five"]);
  });

  test("rotated twice, the older one compressed with a new time: the rest of both is read", async () => {
    const { file, append, next, lines } = await stopped();
    await append("two\n");
    await rename(file, `${file}.2`);
    await writeFile(`${file}.1`, "three\n");
    await age(`${file}.1`, -10);
    await gzipAnew(`${file}.2`, -20);
    await append("four\n");
    await age(file, -30);
    await next.start();
    await next.caughtUp();
    expect(lines).toEqual(["one", "two", "three", "four"]);
  });

  test("files that are alike, each compressed with a new time: each is read, once", async () => {
    const { file, append, next, lines } = await stopped();
    await rename(file, `${file}.3`);
    for (const generation of ["2", "1"]) await writeFile(`${file}.${generation}`, "one\n");
    for (const generation of [3, 2, 1]) await gzipAnew(`${file}.${generation}`, (generation - 4) * 10);
    await append("two\n");
    await next.start();
    await next.caughtUp();
    expect(lines).toEqual(["one", "one", "one", "two"]);
  });

  test("a compressed file that is only half written is waited for", async () => {
    const { file, append, next, lines } = await stopped();
    await append("two\n");
    await rename(file, `${file}.1`);
    const whole = gzipSync("one\ntwo\n");
    await rm(`${file}.1`);
    await writeFile(`${file}.1.gz`, whole.subarray(0, -6));
    await append("three\n");
    await next.start();
    await until(() => next.file !== "");
    expect(lines).toEqual(["one"]);
    await writeFile(`${file}.1.gz`, whole);
    await until(() => lines.length === 3);
    expect(lines).toEqual(["one", "two", "three"]);
  });

  test("copied and truncated", async () => {
    const { file, append, next, lines } = await stopped();
    await append("two\n");
    await copyFile(file, `${file}.1`);
    await truncate(file);
    await append("three\n");
    await next.start();
    await next.caughtUp();
    expect(lines).toEqual(["one", "two", "three"]);
  });

  test("empty at the stop, then filled, copied and truncated: the copy is read, once", async () => {
    const { file, append, follower, lines } = await setUp();
    await append("");
    await age(file, 20);
    const one = follower();
    await one.start();
    await one.stop();
    await append("one\n");
    await copyFile(file, `${file}.1`);
    await truncate(file);
    const two = follower();
    await two.start();
    await two.caughtUp();
    await two.stop();
    expect(lines).toEqual(["one"]);
    const three = follower();
    await three.start();
    await append("two\n");
    await three.caughtUp();
    expect(lines).toEqual(["one", "two"]);
  });

  test("empty at the stop, then filled, copied, compressed and truncated: what was compressed is read", async () => {
    const { file, append, follower, lines } = await setUp();
    await append("");
    const one = follower();
    await one.start();
    await one.stop();
    await append("one\n");
    await copyFile(file, `${file}.1`);
    await gzipAnew(`${file}.1`);
    await truncate(file);
    await append("two\n");
    const two = follower();
    await two.start();
    await two.caughtUp();
    expect(lines).toEqual(["one", "two"]);
  });

  test("emptied and filled with more than before: read from its start", async () => {
    const { file, next, lines } = await stopped();
    await writeFile(file, "another\nand another\n");
    await next.start();
    await next.caughtUp();
    expect(lines).toEqual(["one", "another", "and another"]);
  });

  test("removed and made anew, whose inode may be the same", async () => {
    const { file, append, next, lines } = await stopped();
    await rm(file);
    await append("two\nthree\n");
    await next.start();
    await next.caughtUp();
    expect(lines).toEqual(["one", "two", "three"]);
  });
});
