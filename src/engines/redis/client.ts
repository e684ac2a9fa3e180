import type { Cluster, ClusterOptions, Redis, RedisOptions } from "ioredis";
import { loadClient } from "../../engine-kit/load-client.ts";
import type { Place } from "./place.ts";

/** A connection to one server, or one to each node of a cluster. */
export type Client = Redis | Cluster;

/** A connection that has been silent for so long while an answer is due is given up: its other end may be gone. */
const SILENCE_MS = 5_000;
const CONNECT_MS = 5_000;
const FIRST_WAIT_MS = 20;
const LAST_WAIT_MS = 1_000;

/** How long to wait before the next try to connect, in milliseconds. */
export function reconnectWait(times: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** Math.min(times, 10), LAST_WAIT_MS);
}

/**
 * Makes the client, which connects at once and again whenever the connection is lost. It neither keeps commands while
 * there is no connection nor sends one twice: Link does, which knows what may be sent again.
 */
export async function makeClient(place: Place): Promise<Client> {
  const { Cluster: ClusterClient, Redis: Client } = await loadClient(
    "redis",
    "ioredis",
    () => import("ioredis"),
  );
  const { nodes, db } = place;
  if (place.cluster) {
    const cluster = new ClusterClient([...nodes], clusterOptions(place));
    cluster.on("+node", hearEveryError);
    return cluster;
  }
  return hearEveryError(
    new Client({ ...nodes[0], ...redisOptions(place), db, retryStrategy: reconnectWait }),
  );
}

/**
 * The client hears the first error of a connection only, and one that nobody hears ends the process: over TLS a server may
 * still answer a handshake that was broken off for its certificate.
 */
function hearEveryError(client: Redis): Redis {
  return client.on("error", () => {
    const { stream } = client;
    if (!stream.listeners("error").includes(ignore)) stream.on("error", ignore);
  });
}

function ignore(): void {}

/**
 * One more connection, for what is said to all: of a cluster to any of its servers, and after each failure to another, since
 * each hears all. The cluster's client has one of its own for that, but does not notice when it falls silent.
 */
export function listenerOf(client: Client): Redis {
  if (!isCluster(client)) return hearEveryError(client.duplicate());
  const anyNode = (): Redis | undefined => {
    const nodes = client.nodes("all");
    return nodes[Math.floor(Math.random() * nodes.length)];
  };
  const node = anyNode();
  if (!node) throw new Error("no server of the cluster is known");
  const listener: Redis = node.duplicate<Partial<RedisOptions>>({
    lazyConnect: false,
    readOnly: false,
    enableOfflineQueue: false,
    retryStrategy(times) {
      const { host, port } = anyNode()?.options ?? {};
      if (host !== undefined && port !== undefined) Object.assign(listener.options, { host, port });
      return reconnectWait(times);
    },
  });
  return hearEveryError(listener);
}

/** Whether a listener is connected to a server that the cluster has not got any more: there it hears nothing. */
export function isStray(client: Client, { options: { host, port } }: Redis): boolean {
  if (!isCluster(client)) return false;
  return client.nodes("all").every(({ options }) => options.host !== host || options.port !== port);
}

export function isCluster(client: Client): client is Cluster {
  return "nodes" in client;
}

function redisOptions({ username, password, tls, timeout }: Place) {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    connectTimeout: CONNECT_MS,
    socketTimeout: Math.min(SILENCE_MS, timeout),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // Whoever waits for an answer is told as soon as the connection is lost.
    maxRetriesPerRequest: 0,
    maxLoadingRetryTime: LAST_WAIT_MS,
    // Servers and proxies that are older than the newer protocol understand this one, and it is not slower.
    protocol: 2,
  } as const satisfies RedisOptions;
}

function clusterOptions(place: Place) {
  return {
    redisOptions: redisOptions(place),
    clusterRetryStrategy: reconnectWait,
    enableOfflineQueue: false,
    // A command whose connection was lost may have been done: Link knows whether to send it again.
    retryDelayOnFailover: 0,
    slotsRefreshInterval: 5_000,
    slotsRefreshTimeout: CONNECT_MS,
  } as const satisfies ClusterOptions;
}
