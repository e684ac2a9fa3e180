// One handler of each kind. Run it: node examples/quick-start.ts

import { commandOn, createApp, on, reOn, timeOn } from "decorator-framework";

const welcomed = Promise.withResolvers<void>();

timeOn("signup", { every: "1s" }).execute(async (tick, ctx) => {
  console.log("time:    it is", new Date(tick.scheduled).toISOString());
  await ctx.publish("user.registered", { email: "ann@example.com" }); // stored first, then delivered
});
on("user.registered").execute(function welcome(user: { email: string }) {
  console.log("event:   welcome", user.email);
  welcomed.resolve();
});
commandOn("greet", "/greet <name>").execute(({ name }) => `hello ${name}`);
reOn("errors", "content", /ERROR (?<what>.*)/).execute((match) => `seen: ${match.groups.what}`);

const app = createApp({ engine: "memory:", log: "warn" }); // or "sqlite:data/app.db", which survives kill -9
await app.start();
console.log("command:", (await app.handle("/greet Ann")).text);
console.log("pattern:", (await app.match("2026-11-22 ERROR disk full"))[0]?.value);
await welcomed.promise; // the timer's first tick comes within a second
await app.stop();
