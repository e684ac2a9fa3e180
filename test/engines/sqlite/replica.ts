import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Order } from "./child.ts";

/** Another process on a data file, killed with its test. */
export class Replica {
  readonly process: ChildProcess;
  /** The ids that it was told are safe, with `publishForever`. */
  readonly acknowledged: string[] = [];

  private constructor(path: string) {
    this.process = fork(join(import.meta.dirname, "child.ts"), [path, randomUUID()], { execArgv: [] });
    this.process.on("message", (message) => {
      if (typeof message === "object" && "acknowledged" in message)
        this.acknowledged.push(String(message.acknowledged));
    });
    onTestFinished(() => void this.process.kill("SIGKILL"));
  }

  static async start(path: string): Promise<Replica> {
    const replica = new Replica(path);
    await once(replica.process, "message");
    return replica;
  }

  /** Gives an order without waiting. */
  tell(order: Order): void {
    this.process.send(order);
  }

  /** Gives an order and waits for the result, which the caller knows the type of. */
  async ask<T>(order: Order): Promise<T> {
    const answered = once(this.process, "message");
    this.tell(order);
    // Sent by child.ts as the answer to this order.
    const [{ result }] = (await answered) as [{ result: T }];
    return result;
  }

  async kill(): Promise<void> {
    const exited = once(this.process, "exit");
    this.process.kill("SIGKILL");
    await exited;
  }
}
