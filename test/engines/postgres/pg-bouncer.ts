import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../sqlite/data-dir.ts";
import { freePort } from "./free-port.ts";
import { ask } from "./server.ts";

/** Debian's package puts it where only root looks. */
const PATH = `${process.env["PATH"]}:/usr/sbin`;

/** For the title of what is skipped where there is none; empty where there is. */
export const noPgBouncer = ((): string => {
  if (spawnSync("pgbouncer", ["--version"], { env: { PATH } }).status === 0) return "";
  if (process.env["REQUIRE_SERVERS"] === "1") throw new Error("pgbouncer is not on the PATH");
  return " (skipped: pgbouncer is not on the PATH)";
})();

/** A PgBouncer of a test's own, in transaction mode, in front of a server. Whoever starts it ends it. */
export class PgBouncer {
  readonly #server: URL;
  readonly #port: number;
  readonly #directory: string;
  #process: ChildProcess | undefined;

  private constructor(server: URL, port: number) {
    this.#server = server;
    this.#port = port;
    this.#directory = mkdtempSync(join(tmpdir(), "pgbouncer-"));
  }

  /** @param server The URL of the server behind it. */
  static async start(server: string): Promise<PgBouncer> {
    const pooler = new PgBouncer(new URL(server), await freePort());
    try {
      await pooler.#up();
    } catch (error) {
      await pooler.dispose();
      throw error;
    }
    return pooler;
  }

  /** A URL of the server, by way of the pooler. */
  through(url: string): string {
    const way = new URL(url);
    way.host = `127.0.0.1:${this.#port}`;
    return way.href;
  }

  async dispose(): Promise<void> {
    const child = this.#process;
    if (child?.exitCode === null) {
      const ended = once(child, "close");
      child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #up(): Promise<void> {
    const { hostname, port, username, password } = this.#server;
    const config = join(this.#directory, "pgbouncer.ini");
    const users = join(this.#directory, "users");
    chmodSync(this.#directory, 0o755);
    writeFileSync(users, `"${username}" "${decodeURIComponent(password)}"\n`);
    // Few sessions for many clients, each transaction in the next of them: what one leaves behind, another's meets.
    writeFileSync(
      config,
      `[databases]
* = host=${hostname} port=${port || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${this.#port}
unix_socket_dir =
auth_type = trust
auth_file = ${users}
pool_mode = transaction
default_pool_size = 5
min_pool_size = 5
server_round_robin = 1
max_client_conn = 200
`,
    );
    this.#process = spawn("pgbouncer", [config], { stdio: "ignore", env: { PATH }, ...user() });
    const way = this.through(this.#server.href);
    await until("the pooler answers", () =>
      ask("select 1", [], way).then(
        () => true,
        () => false,
      ),
    );
  }
}

/** It refuses to run as root: then it runs as the user that the server's package made. */
function user(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : {};
}

function idOf(which: "-u" | "-g"): number {
  return Number(execFileSync("id", [which, "postgres"]));
}
