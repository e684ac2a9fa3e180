// Compiled, never run: what must compile, and behind @ts-expect-error what must not.
import { z } from "zod";
import { createRegistry } from "../../src/declare/create-registry.ts";
import { defineEvent } from "../../src/declare/define-event.ts";
import type { PayloadOf } from "../../src/event-type.ts";
import type { Context } from "../../src/context.ts";

const { on, timeOn, reOn } = createRegistry();
const User = defineEvent("user.registered", z.object({ id: z.string(), age: z.number() }));

// The function form infers its parameter, and returns the function as it is.
const birthday = on(User).execute(async (user) => user.age + 1);
const next: Promise<number> = birthday({ id: "a", age: 1 });
void next;
on(User).execute()(async (user: { id: string }) => user.id);
on(User, { rateLimit: { limit: 1, per: "1s", by: (user) => user.id } }).execute((user) => user.id);
// @ts-expect-error the schema has no email
on(User).execute((user) => user.email);
// @ts-expect-error age is a number
on(User).execute((user: { id: string; age: string }) => user);

// Events known by name alone: the handler's own annotation counts, without one it is unknown.
const login = on("user.login").execute(async (user: { username: string }) => user.username);
void login({ username: "alice" });
on("user.login").execute((user) => {
  // @ts-expect-error nothing is known of it
  return user.username;
});

export class Methods {
  @on(User) two(user: { id: string; age: number }, ctx: Context) {
    return ctx.attempt + user.age;
  }
  @on(User) narrow(user: PayloadOf<typeof User>) {
    return user.id;
  }
  @on(User) async none() {}
  @(on(User).execute()) long(user: { id: string }) {
    return user.id;
  }
  @on("user.*") loose(user: { id: string }) {
    return user.id;
  }
  @timeOn("cleanup", { every: "1h" }) cleanup() {}
  @reOn("errors", "content", /ERROR (?<what>.*)/) found(match: { groups: Readonly<Record<string, string>> }) {
    return match.groups["what"];
  }
  // @ts-expect-error a field that the schema does not have
  @on(User) missing(user: { email: string }) {
    return user;
  }
  // @ts-expect-error a field of another type
  @on(User) wrong(user: { id: number }) {
    return user;
  }
  // @ts-expect-error nobody gives a third argument
  @on(User) three(user: { id: string }, ctx: Context, more: number) {
    return [user, ctx, more];
  }
  // @ts-expect-error handlers are methods
  @on(User) field = 1;
}

timeOn("report", { cron: "0 3 * * *" }).execute((tick) => tick.scheduled.toFixed());
// @ts-expect-error not a duration
timeOn("report", { every: "soon" });
reOn("error", "content", /x/).execute((match) => match.groups["a"]?.length);

const { commandOn } = createRegistry();
commandOn("user", "/user <id:int> <action:ban|unban> [reason...] [--for=duration] [--dry-run]").execute(
  async (args) => {
    const id: number = args.id;
    const action: "ban" | "unban" = args.action;
    const reason: string[] = args.reason;
    const time: number | undefined = args.for;
    const dry: boolean = args.dryRun;
    // @ts-expect-error not declared in the usage
    return [id, action, reason, time, dry, args.nope];
  },
);
commandOn("plain", "/plain").execute(({ args }) => args[0]);
// @ts-expect-error a type that there is not: the error says which there are
commandOn("wrong", "/wrong <id:itn>");
commandOn("checked", "/checked <id>", { schema: z.object({ id: z.coerce.number() }) }).execute(({ id }) =>
  id.toFixed(),
);
