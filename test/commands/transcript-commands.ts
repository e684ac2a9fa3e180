import { createCommandOn } from "../../src/declare/command-on.ts";
import type { HandlerRegistry } from "../../src/registry.ts";

/** The commands that all transcripts are about. */
export function declareTranscriptCommands(registry: HandlerRegistry): void {
  const commandOn = createCommandOn(registry);
  commandOn("echo", "/echo").execute(({ args }) => args.join("|"));
  commandOn("add", "/add <a:int> <b:int>", { description: "Adds two numbers." }).execute(({ a, b }) => a + b);
  commandOn("user", "/user <id:int> <action:ban|unban> [reason...] [--for=duration] [--dry-run]", {
    aliases: ["/u"],
  }).execute((args) => JSON.stringify(args));
  commandOn("note", "/note [text...] [--tag=string...]").execute(
    ({ text, tag }) => `${text.join(" ")} #${tag.join(" #")}`,
  );
  commandOn("paint", "/paint <color:color>", {
    types: {
      color: (text) =>
        /^#[0-9a-f]{6}$/i.test(text) ? { rgb: Number.parseInt(text.slice(1), 16) } : undefined,
    },
  }).execute(({ color }) => `painted ${color.rgb}`);
  commandOn("migrate", "/db migrate <to:int>").execute(({ to }) => `to ${to}`);
  commandOn("restart", "/restart [service]", { roles: ["op"], confirm: { within: "1m" } }).execute(
    ({ service = "all" }) => `restarted ${service}`,
  );
  commandOn("weather", "/天气 [城市] [--天数=int]").execute(
    (args) => `${args.城市 ?? "上海"} ${args.天数 ?? 1}`,
  );
  commandOn("once", "/once", { cooldown: { per: "1h", scope: "user" } }).execute(() => "done");
  commandOn("thrice", "/thrice", { rateLimit: { limit: 2, per: "1h", scope: "user" } }).execute(() => "done");
  commandOn("secret", "/secret", { hidden: true }).execute(() => "shh");
  commandOn("broken", "/broken").execute(() => {
    throw new Error("the password is hunter2");
  });
}
