import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A process that is started to be killed. */
export class Victim {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  /** Resolves once it is at work, or dead before that. */
  readonly ready: Promise<unknown>;

  /**
   * @param script Of this folder.
   * @param cache Where compiled code is kept: hundreds of starts would spend their time with the same files.
   */
  constructor(script: string, args: readonly string[], cache: string) {
    this.child = spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"] ?? "", NODE_COMPILE_CACHE: cache },
    });
    const { stdout } = this.child;
    if (!stdout) throw new Error("its output is a pipe");
    this.exited = once(this.child, "exit");
    this.ready = Promise.race([once(stdout, "data"), this.exited]);
    onTestFinished(() => void this.child.kill("SIGKILL"));
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  /** Waits until it has killed itself; does it for it if that takes too long. */
  async exitedWithin(ms: number): Promise<void> {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), ms);
    await this.exited;
    clearTimeout(timer);
  }
}
