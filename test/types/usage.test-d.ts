// Compiled, never run: what usage strings make of a handler's arguments.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { commandOn } from "../../src/declare/command-on.ts";
import type { CheckedUsage, UsageArguments } from "../../src/commands/usage-types.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(yes: Same<A, B>): void;

same<UsageArguments<"/plain">, { args: string[] }>(true);
same<UsageArguments<"/db migrate">, { args: string[] }>(true);
same<UsageArguments<"!ban <who>">, { who: string }>(true);
same<UsageArguments<"/db migrate  <to:int> ">, { to: number }>(true);
same<
  UsageArguments<"/user <user-id:int> <action:ban|unban> [reason...] [--for=duration] [--dry-run]">,
  { userId: number; action: "ban" | "unban"; reason: string[]; for?: number; dryRun: boolean }
>(true);
same<
  UsageArguments<"/x <a:string> <b:number> <c:date> <d:json> <e:email> <f:url> <g:boolean> <h:duration>">,
  { a: string; b: number; c: Date; d: unknown; e: string; f: URL; g: boolean; h: number }
>(true);
same<UsageArguments<"/x [n:int] [mode:a|b]">, { n?: number; mode?: "a" | "b" }>(true);
same<UsageArguments<"/x <n:int...>">, { n: number[] }>(true);
same<UsageArguments<"/x [modes:a|b...]">, { modes: ("a" | "b")[] }>(true);
same<UsageArguments<"/x [--deep-dry-run]">, { deepDryRun: boolean }>(true);
same<UsageArguments<"/备份 [模式:全量|增量]">, { 模式?: "全量" | "增量" }>(true);
same<UsageArguments<"/x [--tag=string...] [--mode=a|b...]">, { tag: string[]; mode: ("a" | "b")[] }>(true);
interface Color {
  readonly rgb: number;
}
type Own = { color: (text: string) => Color | undefined; port: StandardSchemaV1<string, number> };
same<
  UsageArguments<"/x <a:color> [b:port] [c:color...] [--d=port]", Own>,
  { a: Color; b?: number; c: Color[]; d?: number }
>(true);
// A usage that is only known at run time.
same<UsageArguments<string>, Readonly<Record<string, unknown>>>(true);
// @ts-expect-error the helper tells types apart
same<UsageArguments<"/x <n:int>">, { n: string }>(true);
// @ts-expect-error optional and required, too
same<UsageArguments<"/x [n:int]">, { n: number }>(true);

declare function command<const Usage extends string>(
  usage: CheckedUsage<Usage>,
  fn: (args: UsageArguments<Usage>) => unknown,
): void;

command("/user <id:int> [--dry-run]", ({ id, dryRun }) => [id.toFixed(), dryRun]);
command("/plain", ({ args }) => args[0]);
// @ts-expect-error not declared
command("/user <id:int>", (args) => args.nope);
// @ts-expect-error the type "itn" is unknown
command("/user <id:itn>", () => 1);
// @ts-expect-error one choice is a type, and an unknown one
command("/user <mode:full>", () => 1);
// @ts-expect-error not closed
command("/user <id", () => 1);
// @ts-expect-error flags are never required
command("/user <--dry>", () => 1);
// @ts-expect-error no name
command("/user <>", () => 1);
// @ts-expect-error no type
command("/user [--for=]", () => 1);

// What is wrong stands in the type that handlers would get.
type Mistake = UsageArguments<"/user <id:itn> <name>">["usageMistake"];
same<Mistake extends `usage: the type "itn" is unknown; types are ${string}` ? true : false, true>(true);

// Types of one's own are known to the handler, and those that are not are a mistake.
commandOn("paint", "/paint <color:color> [size:int]", {
  types: { color: (text) => ({ rgb: text.length }) },
}).execute(({ color, size }) => [color.rgb.toFixed(), size?.toFixed()]);
// @ts-expect-error the type "colour" is unknown
commandOn("paint", "/paint <color:colour>", { types: { color: (text: string) => text } });
// @ts-expect-error the type "color" is unknown: there are no types
commandOn("paint", "/paint <color:color>");
// @ts-expect-error not a type
commandOn("paint", "/paint <color:color>", { types: { color: 5 } });
commandOn("drop", "/drop [--all]", {
  confirm: { within: "1m" },
  rateLimit: { limit: 2, per: "1m", scope: "user", whenDown: "allow" },
});
// @ts-expect-error no such scope
commandOn("drop", "/drop", { rateLimit: { limit: 2, per: "1m", scope: "team" } });
