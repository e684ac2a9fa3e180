import type { ClaimRef, Settlement } from "../../engine.ts";
import { callOf } from "./claim.ts";
import type { Session } from "./session.ts";
import { KINDS } from "./settle-script.ts";
import { numbers, numbersOf, type Row, type Statement, texts } from "./statement.ts";

const DONE = "select o_settled::text, o_touched::text from {s}.settle_done_1($1, $2, $3, $4)";
const ANY = "select o_settled::text, o_touched::text from {s}.settle_1($1, $2, $3, $4, $5, $6, $7, $8)";
const SAVE_STEP = `update {s}.delivery set
  steps = case when steps is null then '{' || $1 || '}' else left(steps, -1) || ',' || $1 || '}' end
  where seq = $2 and token = $3 and owner = $4 and state = 0 returning seq`;

/** Settlements on their way to the server, and their tokens: of those of one attempt the first counts. */
export function settleStatement(
  session: Session,
  settlements: readonly Settlement[],
): { readonly statement: Statement; readonly tokens: readonly string[] } {
  const first = new Map<string, Settlement>();
  for (const settlement of settlements) {
    const token = String(settlement.claim.token);
    if (callOf(session, settlement.claim) !== undefined && !first.has(token)) first.set(token, settlement);
  }
  const said = [...first.values()];
  const tokens = [...first.keys()];
  const seqs = numbers(said.map(({ claim }) => Number(claim.seq)));
  const calls = numbers(said.map(({ claim }) => callOf(session, claim)));
  const { sql, instance } = session;
  if (said.every(({ kind }) => kind === "done"))
    return { statement: sql.statement(DONE, instance, session.now(), seqs, calls), tokens };
  // prettier-ignore
  const statement = sql.statement(ANY, instance, session.now(), seqs, calls, numbers(said.map(({ kind }) => KINDS[kind])),
    numbers(said.map((one) => ("at" in one ? one.at : undefined))),
    texts(said.map((one) => (one.kind === "dead" ? one.reason : undefined))),
    texts(said.map((one) => ("error" in one && one.error ? JSON.stringify(one.error) : undefined))));
  return { statement, tokens };
}

/** Answers for each whether it counted. @param doubtful Tokens of which an earlier call may have been lost on its way back: gone means done. */
export function settledOf(
  session: Session,
  settlements: readonly Settlement[],
  tokens: readonly string[],
  row: Row | undefined,
  doubtful: ReadonlySet<string>,
): boolean[] {
  session.wakes.touch(numbersOf(row?.[1]));
  const settled = new Set(numbersOf(row?.[0]).map((place) => tokens[place - 1]));
  for (const token of tokens) if (doubtful.has(token)) settled.add(token);
  return settlements.map(({ claim }) => settled.delete(String(claim.token)));
}

/** Stores a step's result; stored again, it comes later in the text, and the last one counts. */
export async function saveStep(
  session: Session,
  claim: ClaimRef,
  name: string,
  result: string,
): Promise<boolean> {
  const call = callOf(session, claim);
  if (call === undefined) return false;
  const step = `${JSON.stringify(name)}:${result}`;
  const stored = await session.change(SAVE_STEP, step, Number(claim.seq), call, session.instance);
  return stored.length === 1;
}
