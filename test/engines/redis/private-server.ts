import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { until } from "../sqlite/data-dir.ts";

/** For the title of what is skipped where there is no `redis-server`; empty where there is. */
export const noBinary = ((): string => {
  if (spawnSync("redis-server", ["--version"]).status === 0) return "";
  if (process.env["REQUIRE_SERVERS"] === "1") throw new Error("redis-server is not on the PATH");
  return " (skipped: redis-server is not on the PATH)";
})();

/** A redis-server of a test's own, with a folder of its own. Whoever starts it ends it. */
export class PrivateServer {
  readonly port: number;
  readonly #directory = mkdtempSync(join(tmpdir(), "redis-"));
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.#options = options;
  }

  /** @param options As on the command line: `["--maxmemory", "10mb"]`. */
  static async start(options: readonly string[] = []): Promise<PrivateServer> {
    const server = new PrivateServer(await freePort(), options);
    try {
      await server.up();
    } catch (error) {
      await server.dispose();
      throw error;
    }
    return server;
  }

  /** Starts it, again after {@link kill} or {@link stop} on the same port and with the same files. */
  async up(): Promise<void> {
    const fixed = [
      "--port",
      `${this.port}`,
      "--bind",
      "127.0.0.1",
      "--dir",
      this.#directory,
      "--loglevel",
      "warning",
    ];
    const saving = this.#options.includes("--save") ? [] : ["--save", ""];
    this.#process = spawn("redis-server", [...fixed, ...saving, ...this.#options], { stdio: "ignore" });
    await until("the server answers", () =>
      this.ask("ping").then(
        (answer) => answer === "PONG",
        () => false,
      ),
    );
  }

  /** Sends one command on a connection of its own. */
  async ask(name: string, ...args: (string | number)[]): Promise<unknown> {
    const at = this.#options.indexOf("--requirepass");
    const password = at < 0 ? undefined : this.#options[at + 1];
    const client = new Redis(this.port, "127.0.0.1", {
      retryStrategy: null,
      maxRetriesPerRequest: 0,
      lazyConnect: true,
      ...(password !== undefined && { password }),
    });
    client.on("error", () => {});
    try {
      await client.connect();
      return await client.call(name, ...args);
    } finally {
      client.disconnect();
    }
  }

  /** Ends it as a power cut does, save that the system still writes what it was given. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it properly. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Lets it neither answer nor break its connections, until it is told to go on. */
  freeze(frozen: boolean): void {
    this.#process?.kill(frozen ? "SIGSTOP" : "SIGCONT");
  }

  /** Ends it and removes its files. */
  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (!running || running.exitCode !== null) return;
    const exited = once(running, "exit");
    running.kill(signal);
    if (signal === "SIGKILL") running.kill("SIGCONT");
    await exited;
  }
}

/** A cluster of a test's own: so many masters, each with so many replicas. */
export class PrivateCluster {
  readonly servers: readonly PrivateServer[];
  readonly #masters: number;

  private constructor(servers: readonly PrivateServer[], masters: number) {
    this.servers = servers;
    this.#masters = masters;
  }

  /** @param more Options of each server, as on the command line. */
  static async start(masters = 3, replicas = 0, more: readonly string[] = []): Promise<PrivateCluster> {
    const options = [
      ...more,
      "--cluster-enabled",
      "yes",
      "--cluster-node-timeout",
      "1000",
      "--cluster-require-full-coverage",
      "no",
      "--repl-diskless-sync-delay",
      "0",
      "--appendonly",
      "yes",
    ];
    const count = masters * (1 + replicas);
    const servers = await Promise.all(Array.from({ length: count }, () => PrivateServer.start(options)));
    const cluster = new PrivateCluster(servers, masters);
    await cluster.#join();
    return cluster;
  }

  /** With a prefix of its own, so that many tests may share a cluster. */
  url(prefix = `t${Math.random().toString(36).slice(2)}`): string {
    const hosts = this.servers.slice(0, this.#masters).map(({ port }) => `127.0.0.1:${port}`);
    return `redis+cluster://${hosts.join(",")}?prefix=${prefix}`;
  }

  /** The server that has the slot of a key, as the others see it. */
  async masterOf(key: string, except?: PrivateServer): Promise<PrivateServer | undefined> {
    const asked = this.servers.find((server) => server !== except);
    const slot = Number(await asked?.ask("cluster", "keyslot", key));
    const slots = (await asked?.ask("cluster", "slots")) as [number, number, [string, number]][];
    const found = slots.find(([from, to]) => from <= slot && slot <= to);
    return this.servers.find(({ port }) => port === found?.[2][1]);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.dispose()));
  }

  async #join(): Promise<void> {
    const [first, ...others] = this.servers;
    const share = Math.ceil(16_384 / this.#masters);
    for (const [at, server] of this.servers.slice(0, this.#masters).entries()) {
      const last = Math.min((at + 1) * share, 16_384) - 1;
      await server.ask("cluster", "addslotsrange", at * share, last);
    }
    for (const { port } of others) await first?.ask("cluster", "meet", "127.0.0.1", port);
    const ids = await Promise.all(this.servers.map((server) => server.ask("cluster", "myid")));
    const known = async (server: PrivateServer): Promise<number> =>
      String(await server.ask("cluster", "nodes"))
        .trim()
        .split("\n").length;
    await until("all know each other", async () => {
      const counts = await Promise.all(this.servers.map(known));
      return counts.every((count) => count === this.servers.length);
    });
    for (const [at, server] of this.servers.slice(this.#masters).entries())
      await server.ask("cluster", "replicate", String(ids[at % this.#masters]));
    await until("the replicas follow", async () => {
      const masters = this.servers.slice(0, this.#masters);
      const states = await Promise.all(masters.map((server) => server.ask("info", "replication")));
      const online = String(states).match(/state=online/g)?.length ?? 0;
      return online === this.servers.length - this.#masters;
    });
    await until("the cluster is well", async () => {
      const states = await Promise.all(this.servers.map((server) => server.ask("cluster", "info")));
      return states.every((state) => String(state).includes("cluster_state:ok"));
    });
  }
}

/** A port that was free a moment ago, and whose cluster bus, 10,000 above it, is a port, too. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  const port = typeof address === "object" ? (address?.port ?? 0) : 0;
  probe.close();
  return port < 55_000 ? port : port - 25_000;
}
