/* The peers look for the handlers of a name without calling them. */
import { load, peersOf } from "../measure/peers.ts";
import { topics } from "./topics.ts";

/** Finds who subscribed to a name; answers how many. */
export type Find = (name: string) => number;

interface Emitter2 {
  on(topic: string, handler: () => void): void;
  listeners(name: string): readonly unknown[];
}
interface Broker {
  createService(service: object): void;
  start(): Promise<void>;
  readonly registry: { readonly events: { getAllEndpoints(name: string): readonly unknown[] } };
}

/** @param count How many subscriptions. */
export function wildcardPeers(
  count: number,
  options: { readonly peers: boolean },
): Promise<Record<string, Find>> {
  return peersOf(
    {
      eventemitter2: () => eventemitter2(count),
      moleculer: () => moleculer(count),
      "RegExp loop": async () => regExpLoop(count),
    },
    options,
  );
}

async function eventemitter2(count: number): Promise<Find> {
  type New = new (options: object) => Emitter2;
  const { default: EventEmitter2 } = await load<{ default: New }>("eventemitter2");
  const emitter = new EventEmitter2({ wildcard: true });
  for (const topic of topics(count)) emitter.on(topic, () => {});
  return (name) => emitter.listeners(name).length;
}

async function moleculer(count: number): Promise<Find> {
  const { ServiceBroker } = await load<{ ServiceBroker: new (options: object) => Broker }>("moleculer");
  const broker = new ServiceBroker({ logger: false });
  const events = Object.fromEntries(topics(count).map((topic) => [topic, () => {}]));
  broker.createService({ name: "listener", events });
  await broker.start();
  return (name) => broker.registry.events.getAllEndpoints(name).length;
}

/** What a program writes that has no library for it. */
function regExpLoop(count: number): Find {
  const patterns = topics(count).map((topic) => {
    const segments = topic.split(".").map((one) => (one === "**" ? ".+" : one === "*" ? "[^.]+" : one));
    return new RegExp(`^${segments.join("\\.")}$`);
  });
  return (name) => {
    let found = 0;
    for (const pattern of patterns) if (pattern.test(name)) found++;
    return found;
  };
}
