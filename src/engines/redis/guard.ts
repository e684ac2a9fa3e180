import { EngineError } from "../../errors.ts";
import { isCluster } from "./client.ts";
import { replyCode } from "./failures.ts";
import type { Link } from "./link.ts";

const OLDEST = [6, 2];

/** What a server says of itself, by name. */
type Facts = ReadonlyMap<string, string>;

/**
 * Asks each server whether it can be trusted with messages: its version, that it drops no keys when memory runs short,
 * and what it does with them when it dies.
 *
 * @returns What it can lose, as the end of a sentence.
 * @throws {EngineError} `ENGINE_SERVER_OLD`, `ENGINE_EVICTS`, `ENGINE_NOT_STRICT`, `ENGINE_READ_ONLY`, `ENGINE_URL_INVALID`.
 */
export async function examine(link: Link): Promise<string> {
  const { client, place } = link;
  const servers = isCluster(client) ? client.nodes("master") : [client];
  const losses = new Set<string>();
  for (const server of servers) {
    const facts = factsOf(await server.info());
    checkVersion(facts, place.location);
    checkEviction(facts, place.location);
    checkRole(facts, link);
    const loss = lossOf(facts, await fsyncOf((name) => server.config("GET", name)));
    if (place.strict && loss !== NOTHING) throw notStrict(place.location, loss);
    losses.add(loss);
  }
  return [...losses].join("; ");
}

const NOTHING = "it syncs each write";

/** Only the policy, which somebody may change while the server runs. */
export async function checkPolicy(link: Link): Promise<void> {
  const { client, place } = link;
  for (const server of isCluster(client) ? client.nodes("master") : [client])
    checkEviction(factsOf(await server.info("memory")), place.location);
}

function factsOf(text: string): Facts {
  return new Map(
    text.split("\r\n").flatMap((line) => {
      const at = line.indexOf(":");
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
    }),
  );
}

function checkVersion(facts: Facts, location: string): void {
  const version = facts.get("redis_version") ?? "0.0";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldest = 0, least = 0] = OLDEST;
  if (major > oldest || (major === oldest && minor >= least)) return;
  throw new EngineError(
    "ENGINE_SERVER_OLD",
    `${location} is Redis ${version}. This engine needs Redis ${OLDEST.join(".")} or newer, or Valkey.`,
  );
}

function checkEviction(facts: Facts, location: string): void {
  const policy = facts.get("maxmemory_policy") ?? "noeviction";
  if (policy === "noeviction") return;
  throw new EngineError(
    "ENGINE_EVICTS",
    `${location} has maxmemory-policy ${policy}: when its memory is full it would drop messages without a word. Run: redis-cli config set maxmemory-policy noeviction (and write it into redis.conf), or use another server for the framework.`,
  );
}

function checkRole(facts: Facts, { place }: Link): void {
  if (facts.get("cluster_enabled") === "1" && !place.cluster) {
    throw new EngineError(
      "ENGINE_URL_INVALID",
      `${place.location} is a node of a cluster. Write redis+cluster://host:port,host:port instead.`,
    );
  }
  if (facts.get("role") === "slave" && !place.cluster) {
    throw new EngineError(
      "ENGINE_READ_ONLY",
      `${place.location} is a replica, which takes no writes. Use the address of its master, ${facts.get("master_host")}:${facts.get("master_port")}.`,
      { retryable: true },
    );
  }
}

/** How the append-only file is synced; undefined where the server does not say. */
async function fsyncOf(config: (name: string) => Promise<unknown>): Promise<string | undefined> {
  try {
    const answer = await config("appendfsync");
    return Array.isArray(answer) && answer.length > 1 ? String(answer[1]) : undefined;
  } catch (error) {
    // Many who sell Redis as a service let nobody see its configuration.
    if (replyCode(error) === "") throw error;
    return undefined;
  }
}

function lossOf(facts: Facts, fsync: string | undefined): string {
  if (facts.get("aof_enabled") !== "1")
    return "no append-only file: if it dies, what came after its last snapshot is lost";
  if (fsync === "always") return NOTHING;
  if (fsync === "everysec")
    return "appendfsync everysec: if it or its machine dies, up to two seconds are lost";
  if (fsync === "no") return "appendfsync no: if its machine dies, up to half a minute is lost";
  return "append-only file; how often it is synced cannot be read";
}

function notStrict(location: string, loss: string): EngineError {
  return new EngineError(
    "ENGINE_NOT_STRICT",
    `The engine URL asks for durability=strict, and ${location} cannot keep it (${loss}). Set appendonly yes and appendfsync always, or leave durability out.`,
  );
}
