// Compiled against the built declarations, by the strictest rules there are (skipLibCheck off): what a user's project does.
import {
  type App,
  type AppOptions,
  cached,
  commandOn,
  type Context,
  createApp,
  createRegistry,
  defineEvent,
  type Engine,
  EventDispatcher,
  Fatal,
  FrameworkError,
  HandlersFailedError,
  type HttpPool,
  httpPool,
  type Middleware,
  on,
  type PatternMatch,
  type PayloadOf,
  reOn,
  type Reply,
  RetryAfter,
  snooze,
  type Tick,
  timeOn,
} from "decorator-framework";
import { type ChatAdapter, said, webSocketChat } from "decorator-framework/chat";
import { createTestApp, runConformance, VirtualClock } from "decorator-framework/testing";
import * as v from "valibot";
import { z } from "zod";

interface Pool {
  query(text: string): Promise<readonly string[]>;
}

declare module "decorator-framework" {
  interface Services {
    pool: Pool;
    http: HttpPool;
  }
}

// Any Standard Schema.
const Paid = defineEvent("order.paid", z.object({ id: z.int(), note: z.string().optional() }));
const Shipped = defineEvent(
  "order.shipped",
  v.object({ id: v.number(), at: v.pipe(v.string(), v.isoDate()) }),
);
type Order = PayloadOf<typeof Paid>;

const timed: Middleware = async (ctx, next) => {
  const began = ctx.now();
  const result = await next();
  ctx.log.info({ took: ctx.now() - began }, "ran");
  return result;
};

on(Paid, { retry: 5, timeout: "10s", use: [timed] }).execute(async (order, ctx) => {
  const rows = await ctx.services.pool.query(String(order.id));
  await ctx.services.http.fetch("https://shop.example/orders", { signal: ctx.signal });
  if (rows.length === 0) throw new Fatal("no such order");
  if (rows.length > 1) throw new RetryAfter("30s");
  await ctx.step("ship", () => ctx.publish(Shipped, { id: order.id, at: "2026-11-22" }));
  return order.note === undefined ? snooze("5m") : order.note.length;
});
on(Shipped, { batch: { size: 100 } }).execute((many) => many.map(({ id }) => id.toFixed()));
timeOn("report", { cron: "0 3 * * *", timezone: "Asia/Shanghai", misfire: "once" }).execute(
  (tick: Tick) => tick.scheduled,
);
commandOn("user", "/user <id:int> [reason...] [--dry-run]", { cooldown: "1m" }).execute(
  ({ id, reason, dryRun }) => `${id.toFixed()} ${reason.join(" ")} ${dryRun ? "not really" : ""}`,
);
reOn("errors", "content", /ERROR (?<what>.*)/, { threshold: { count: 5, within: "1m" } }).execute(
  (match) => match.groups["what"]?.length,
);

export class Accounts {
  @on(Paid) audit(order: Order, ctx: Context): string {
    return `${ctx.id} ${order.id}`;
  }
  @reOn("attempts", "content", /from (?<ip>\S+)/) attempts(match: PatternMatch): string {
    return match.text;
  }
}

const registry = createRegistry();
const options: AppOptions = {
  engine: "memory:",
  registry,
  handlers: [Accounts],
  services: { pool: () => ({ query: async (text: string) => [text] }), http: httpPool() },
};

export async function main(): Promise<Reply> {
  await using app: App = createApp(options);
  await app.start();
  const engine: Engine = app.engine;
  const [first] = await app.trigger(Paid, { id: 1 });
  const id: string = await app.publish(Shipped, { id: 1, at: "2026-11-22" }, { delay: "1h", key: "order-1" });
  // @ts-expect-error the schema wants a number
  await app.publish(Paid, { id: "1" });
  const price = cached(async (sku: string) => `${sku} ${engine.name} ${id} ${String(first)}`, { ttl: "5m" });
  await price("a");
  const [found] = await app.match({ content: "ERROR disk full" });
  const dispatcher = new EventDispatcher({ registry });
  await dispatcher.trigger("order.paid", { id: 1 }).catch((error: unknown) => {
    if (error instanceof HandlersFailedError) return error.results;
    throw error instanceof FrameworkError ? new Error(error.code) : error;
  });
  return app.handle(found?.handler ?? "/help", { user: "ann", roles: ["admin"] });
}

export function inChats(): App {
  const chat: ChatAdapter = webSocketChat({
    authenticate: ({ token }) => (token === "secret" ? { user: "ann", roles: ["moderator"] } : undefined),
  });
  // @ts-expect-error somebody who is let in has a name
  webSocketChat({ authenticate: () => ({ roles: [] }) });
  commandOn("stock", "/stock <id:int>").execute(({ id }) => said(`3 pieces of ${id}`, { id }));
  return createApp({ adapters: [chat], operationCommands: true });
}

export async function inTests(): Promise<void> {
  await using t = await createTestApp({ registry });
  await t.publish(Paid, { id: 1 });
  await t.advance("1h");
  const [shipped] = t.published(Shipped);
  const dead: number = t.deadLetters.length;
  new VirtualClock().elapsed();
  void [shipped?.at.length, dead, runConformance];
}
