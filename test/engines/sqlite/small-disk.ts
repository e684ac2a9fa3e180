import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished, type TestContext } from "vitest";
import { newDirectory } from "./data-dir.ts";

/** A file system of its own, some megabytes large. */
export interface SmallDisk {
  readonly directory: string;
  /** Takes all the room that is left. */
  fill(): void;
  /** Gives the room back. */
  free(): void;
  /** Makes it read-only; nobody may have a file of it open for writing. */
  freeze(): void;
}

/** Mounts one; a test on a system that does not let it is skipped with the reason. Everybody may write there. */
export async function smallDisk(context: TestContext, megabytes = 3): Promise<SmallDisk> {
  const directory = await newDirectory();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", directory], { stdio: "pipe" });
  } catch (error) {
    context.skip(`no file system can be mounted here: ${String(error)}`);
  }
  onTestFinished(() => void execFileSync("umount", ["-l", directory]));
  const filler = join(directory, "filler");
  return {
    directory,
    fill: () => fill(filler),
    free: () => rmSync(filler),
    freeze: () => void execFileSync("mount", ["-o", "remount,ro", directory]),
  };
}

/** Runs `chattr`; a test on a file system without such marks, or without the right to set them, is skipped. */
export function mark(context: TestContext, change: "+i" | "-i", path: string): void {
  try {
    execFileSync("chattr", [change, path], { stdio: "pipe" });
  } catch (error) {
    context.skip(`no file can be marked as unchangeable here: ${String(error)}`);
  }
}

function fill(path: string): void {
  const file = openSync(path, "w");
  const block = Buffer.alloc(4_096);
  try {
    for (;;) writeSync(file, block);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    closeSync(file);
  }
}
