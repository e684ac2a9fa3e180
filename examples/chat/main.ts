// A chat with a bot, for a browser and a terminal. Run it: node examples/chat/main.ts [PORT]

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { commandOn, createApp, defineEvent, on, reOn } from "decorator-framework";
import { said, webSocketChat } from "decorator-framework/chat";

/** Who opens the chat with which token. Yours come from where your users are. */
const USERS = new Map([
  ["ann", { user: "ann", roles: ["moderator", "operate"] }],
  ["bob", { user: "bob", roles: [] }],
]);

const pages = new Map([
  ["/", { file: "page.html", type: "text/html; charset=utf-8" }],
  ["/session.js", { file: "session.js", type: "text/javascript; charset=utf-8" }],
]);
const server = createServer((request, response) => {
  const page = pages.get((request.url ?? "").split("?", 1)[0] ?? "");
  if (!page) return void response.writeHead(404).end();
  response.writeHead(200, { "content-type": page.type });
  response.end(readFileSync(join(import.meta.dirname, page.file)));
});

const chat = webSocketChat({
  server,
  patterns: true, // what is no command may still be worth an answer
  authenticate: ({ token = "", channel = "lobby" }) => {
    const user = USERS.get(token);
    return user && { ...user, channel };
  },
});

const muted = new Set<string>();
const ReminderDue = defineEvent<{ user: string; channel: string; what: string }>("reminder.due");

commandOn("roll", "/roll [sides:int]", { description: "Rolls a die." }).execute(({ sides = 6 }) => {
  const points = 1 + Math.floor(Math.random() * Math.max(1, sides));
  return said(`🎲 ${points}`, { sides, points });
});
commandOn("say", "/say <words...>", {
  description: "Says something to everybody here.",
  rateLimit: { limit: 5, per: "10s", scope: "user" },
}).execute(({ words }, { headers: { user = "", channel } }) => {
  if (muted.has(user)) return said("You have been muted.", undefined, "invalid");
  chat.say(`${user}: ${words.join(" ")}`, channel);
});
commandOn("mute", "/mute <user>", {
  description: "Mutes somebody.",
  roles: ["moderator"],
  confirm: { within: "1m" },
}).execute(({ user }) => {
  muted.add(user);
  return `${user} is muted`;
});
// Published, not kept in a timer: a reminder survives a restart, and goes out once.
commandOn("remind", "/remind <in:duration> <what...>", { description: "Reminds you." }).execute(
  async ({ in: delay, what }, { publish, headers: { user = "", channel = "" } }) => {
    await publish(ReminderDue, { user, channel, what: what.join(" ") }, { delay });
    return "I shall.";
  },
);
on(ReminderDue).execute(function goOff({ user, channel, what }) {
  chat.say(`⏰ ${user}: ${what}`, channel);
});
reOn("thanks", "content", /\b(?:thanks|thank you)\b|谢谢/i).execute(
  ({ message }) => `You are welcome, ${message["user"]}!`,
);

const app = createApp({
  engine: process.env["ENGINE_URL"] ?? "memory:",
  log: "warn",
  adapters: [chat],
  operationCommands: true, // for ann: /handlers, /dead, /health, …
});
await app.start();
server.listen(Number(process.argv[2] ?? 8090), "127.0.0.1", () => {
  const { port } = server.address() as { port: number };
  console.log(`chat: http://127.0.0.1:${port}/?token=ann and ?token=bob, in two windows`);
  console.log(`      node examples/chat/terminal.ts http://127.0.0.1:${port} bob`);
});

async function stop(): Promise<void> {
  await app.stop(); // who waits for a reply still gets it
  server.close();
  server.closeAllConnections();
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());
