/* An app of which several replicas run behind a balancer: what its handlers do stands in a journal that all share. */
import { appendFileSync } from "node:fs";
import { createApp, createRegistry } from "decorator-framework";

const journal = process.env["JOURNAL"] ?? "journal";
/** One write each, so that lines of different processes do not mix. */
const note = (...words: readonly unknown[]): void =>
  appendFileSync(journal, `${words.join(" ")} ${process.pid}\n`);

const registry = createRegistry();
registry.on("order", { name: "orders" }).execute(async ({ n }: { n: number }, ctx) => {
  note("order", n, ctx.attempt);
});
// One a second, as schedules go; and five a second, of which more fall into the moments that are hard.
for (const [name, every] of [
  ["beat", "1s"],
  ["pulse", "200ms"],
] as const) {
  registry
    .timeOn(name, { every, misfire: "all", overlap: "allow" })
    .execute(async ({ scheduled }, ctx) => note(name, scheduled, ctx.attempt));
}
registry.commandOn("add", "/add <a:int> <b:int>").execute(({ a, b }) => a + b);

export const app = createApp({ registry, http: { port: 0, host: "127.0.0.1" } });
