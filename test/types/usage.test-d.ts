// Compiled, never run: what usage strings make of a handler's arguments.
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
