import {
  noBinary as noPostgres,
  PrivateServer as PostgresServer,
} from "../engines/postgres/private-server.ts";
import { FaultProxy, type ProxyMode } from "../engines/proxy.ts";
import {
  noBinary as noRedis,
  PrivateCluster,
  PrivateServer as RedisServer,
} from "../engines/redis/private-server.ts";
import { until } from "../engines/sqlite/data-dir.ts";

/** A server, or several that are one, of a test's own: it can be killed, and every way to it leads through a proxy. Whoever starts it ends it. */
export interface FaultyServer {
  /** A store of that name in it. @param timeout How long a call may take: `"3s"`. */
  readonly url: (store: string, timeout: string) => string;
  /** Changes what all proxies do. */
  readonly set: (mode: ProxyMode) => void;
  /** Lets nothing through on the connections that there are, or on those that listen; new ones are not touched. */
  readonly strand: (which?: "all" | "listening") => void;
  /** Ends it as a crash does. */
  readonly crash: () => Promise<void>;
  readonly up: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** What a server engine needs to be tried. */
export interface ServerEngine {
  readonly engine: string;
  /** Why it cannot be, for titles; empty when it can. */
  readonly absent: string;
  /** How long after a fault work goes on at the latest, in milliseconds: see docs/engines.md. */
  readonly bound: number;
  /** Starts one. What it acknowledges is on its disk. */
  readonly start: () => Promise<FaultyServer>;
}

const SYNCED = ["--appendfsync", "always"];

/** Every engine whose store is a server. */
export const SERVERS: readonly ServerEngine[] = [
  {
    engine: "redis",
    absent: noRedis,
    bound: 6_000,
    async start() {
      const server = await RedisServer.start(["--appendonly", "yes", ...SYNCED]);
      const proxy = await FaultProxy.start("127.0.0.1", server.port);
      return {
        url: (store, timeout) =>
          `redis://127.0.0.1:${proxy.port}?prefix=${store}&timeout=${timeout}&durability=strict`,
        set: (mode) => proxy.set(mode),
        strand: (which) => proxy.strand(which),
        crash: () => server.kill(),
        up: () => server.up(),
        async dispose() {
          await proxy.close();
          await server.dispose();
        },
      };
    },
  },
  {
    engine: "redis+cluster",
    absent: noRedis,
    // Its servers have to find each other first, and the client them.
    bound: 12_000,
    async start() {
      const cluster = await PrivateCluster.start(3, 0, SYNCED);
      const proxies = await Promise.all(
        cluster.servers.map(({ port }) => FaultProxy.start("127.0.0.1", port)),
      );
      // Clients are told to go through the proxies, and the servers go past them to each other.
      const announce = (): Promise<unknown> =>
        Promise.all(
          cluster.servers.map(async (server, at) => {
            await server.ask("config", "set", "cluster-announce-bus-port", server.port + 10_000);
            await server.ask("config", "set", "cluster-announce-port", proxies[at]?.port ?? 0);
          }),
        );
      const isAnnounced = async (): Promise<boolean> => {
        const told = await Promise.all(cluster.servers.map((server) => server.ask("cluster", "slots")));
        const ports = (told as [number, number, [string, number]][][]).flat().map(([, , [, port]]) => port);
        return ports.every((port) => proxies.some((proxy) => proxy.port === port));
      };
      await announce();
      await until("the cluster tells of the proxies", isAnnounced);
      return {
        url: (store, timeout) =>
          `redis+cluster://${proxies.map(({ port }) => `127.0.0.1:${port}`).join(",")}?prefix=${store}&timeout=${timeout}`,
        set: (mode) => proxies.forEach((proxy) => proxy.set(mode)),
        strand: (which) => proxies.forEach((proxy) => proxy.strand(which)),
        crash: async () => void (await Promise.all(cluster.servers.map((server) => server.kill()))),
        async up() {
          await Promise.all(cluster.servers.map((server) => server.up()));
          await announce();
        },
        async dispose() {
          await Promise.all(proxies.map((proxy) => proxy.close()));
          await cluster.dispose();
        },
      };
    },
  },
  {
    engine: "postgres",
    absent: noPostgres,
    bound: 6_000,
    async start() {
      const server = await PostgresServer.start();
      const proxy = await FaultProxy.start("127.0.0.1", server.port);
      return {
        url: (store, timeout) =>
          `${server.url.replace(`:${server.port}`, `:${proxy.port}`)}?schema=${store}&timeout=${timeout}&synchronous=on`,
        set: (mode) => proxy.set(mode),
        strand: (which) => proxy.strand(which),
        crash: async () => server.down("immediate"),
        up: async () => server.up(),
        async dispose() {
          await proxy.close();
          server.dispose();
        },
      };
    },
  },
];
