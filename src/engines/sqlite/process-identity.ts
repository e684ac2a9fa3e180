import { readFileSync, readlinkSync } from "node:fs";

/** What tells one process of this machine from all others, also from one that gets its number later. Empty where the system does not say. */
export interface ProcessIdentity {
  /** One boot of the machine. */
  readonly boot: string;
  /** Within which process numbers count: containers have their own. */
  readonly space: string;
  readonly pid: number;
  /** When it began, in ticks since boot. */
  readonly born: string;
}

/** This process's identity. */
export function identifyProcess(): ProcessIdentity {
  return {
    boot: attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    space: attempt(() => readlinkSync("/proc/self/ns/pid")),
    pid: process.pid,
    born: birthOf(process.pid),
  };
}

/** Whether a process is certainly gone; false where that cannot be told from here. */
export function isGone(other: ProcessIdentity, self: ProcessIdentity, sameHost: boolean): boolean {
  if (self.boot === "" || other.boot === "") return sameHost && !exists(other.pid);
  // A SQLite file is shared within one machine only, so another boot is one before.
  if (other.boot !== self.boot) return true;
  if (other.space !== self.space) return false;
  return birthOf(other.pid) !== other.born;
}

/** Empty when there is no such process. */
function birthOf(pid: number): string {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  // The second field is the name in parentheses and may hold anything; the birth is the 20th after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const zombie = fields[0] === "Z" || fields[0] === "X";
  return zombie ? "" : (fields[19] ?? "");
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
