import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

const ROOT = "/usr/lib/postgresql";
const BIN = existsSync(ROOT) ? readdirSync(ROOT).map((version) => join(ROOT, version, "bin")) : [];
const bin = BIN.find((path) => existsSync(join(path, "initdb")));
/** The server refuses to run as root: then it runs as the user that its package made. */
const isRoot = process.getuid?.() === 0;

/** Why there is none, for the titles of its tests; empty when there can be. */
export const noBinary = bin === undefined ? " (skipped: no initdb in /usr/lib/postgresql/*/bin)" : "";

/** A server of the test's own, which may be killed. */
export class PrivateServer {
  readonly port: number;
  readonly #directory: string;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #data: string;

  private constructor(
    port: number,
    directory: string,
    settings: Readonly<Record<string, string>>,
    data = directory,
  ) {
    this.port = port;
    this.#directory = directory;
    this.#settings = settings;
    this.#data = join(data, "data");
  }

  /**
   * Makes and starts one, with the database `test`.
   *
   * @param settings As in postgresql.conf.
   * @param data Another folder for its data; its log of changes (WAL) is there, too, where `withLog` says so.
   */
  static async start(
    settings: Readonly<Record<string, string>> = {},
    { data, withLog = true }: { readonly data?: string; readonly withLog?: boolean } = {},
  ): Promise<PrivateServer> {
    const directory = mkdtempSync(join(tmpdir(), "postgres-test-"));
    chmodSync(directory, 0o777);
    const server = new PrivateServer(await freePort(), directory, settings, data);
    const log = withLog ? [] : ["--waldir", join(directory, "wal")];
    server.#run("initdb", "-D", server.#data, "-U", "test", "-A", "trust", "--no-sync", ...log);
    server.up();
    server.#run("createdb", "-h", "127.0.0.1", "-p", String(server.port), "-U", "test", "test");
    return server;
  }

  get url(): string {
    return `postgres://test@127.0.0.1:${this.port}/test`;
  }

  up(): void {
    const all = { port: String(this.port), unix_socket_directories: "''", ...this.#settings };
    const options = Object.entries(all).map(([name, value]) => `-c ${name}=${value}`);
    const log = join(this.#directory, "log");
    this.#run("pg_ctl", "-D", this.#data, "-w", "-l", log, "-o", options.join(" "), "start");
  }

  /** @param mode `immediate` is as a crash. */
  down(mode: "fast" | "immediate"): void {
    this.#run("pg_ctl", "-D", this.#data, "-w", "-m", mode, "stop");
  }

  isDown(): boolean {
    try {
      this.#run("pg_ctl", "-D", this.#data, "status");
      return false;
    } catch {
      return true;
    }
  }

  dispose(): void {
    try {
      this.down("immediate");
    } catch {
      // It was down.
    }
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  #run(program: string, ...parameters: string[]): void {
    const [file, all] = asServer(join(bin ?? "", program), parameters);
    execFileSync(file, all, { stdio: ["ignore", "ignore", "ignore"], cwd: this.#directory });
  }
}

/** A command as the user that such a server runs as. */
export function asServer(
  program: string,
  parameters: readonly string[],
): readonly [program: string, parameters: readonly string[]] {
  return isRoot ? ["runuser", ["-u", "postgres", "--", program, ...parameters]] : [program, parameters];
}
