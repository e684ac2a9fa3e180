import type { Claim, ClaimRef, Claims, Want } from "../../engine.ts";
import type { Session } from "./session.ts";
import { numberOr, numbers, type Row, type Statement, withNul } from "./statement.ts";

const CLAIM = "select * from {s}.claim_1($1, $2, $3, $4, $5)";

/** A claim on its way to the server. @param call Its number: part of the tokens of what it takes. */
export function claimStatement(session: Session, wants: readonly Want[], call: number): Statement {
  const subs: number[] = [];
  const limits: number[] = [];
  for (const { handler, limit } of wants) {
    const entry = session.catalog.named(handler);
    if (!entry || limit <= 0) continue;
    subs.push(entry.no);
    limits.push(limit);
  }
  return session.sql.statement(CLAIM, session.instance, call, session.now(), numbers(subs), numbers(limits));
}

/** What a claim has found; `stale` when the subscriptions have changed since they were read. */
export function claimsOf(
  session: Session,
  rows: readonly Row[],
  call: number,
): Claims & { readonly stale: boolean } {
  const meta = rows.at(-1) ?? [];
  const claims = rows.slice(0, -1).map((row) => toClaim(session, row, call));
  return { claims, nextDue: numberOr(meta[6]), stale: Number(meta[5]) !== session.catalog.version };
}

/** Puts claims in order: the server answers in that of its table. */
export function inOrder(claims: readonly Claim[], wants: readonly Want[]): Claim[] {
  const place = new Map(wants.map(({ handler }, at) => [handler, at]));
  const placeOf = ({ handler }: Claim): number => place.get(handler) ?? 0;
  return claims.toSorted(
    (a, b) => placeOf(a) - placeOf(b) || a.priority - b.priority || Number(a.seq) - Number(b.seq),
  );
}

function toClaim(session: Session, row: Row, call: number): Claim {
  // prettier-ignore
  const [seq, sub, attempt, priority, message, published, due, expires, key, event, headers, steps, errors, payload] = row;
  return {
    id: session.ownIdOf(Number(message ?? seq)),
    handler: session.catalog.find(Number(sub))?.handler ?? "",
    seq: Number(seq),
    token: tokenOf(session, call, seq),
    event: event ?? "",
    payload: payload ?? "",
    headers: headers ?? undefined,
    attempt: Number(attempt),
    priority: Number(priority),
    key: key === null || key === undefined ? undefined : withNul(key),
    publishedAt: Number(published),
    due: Number(due),
    expires: numberOr(expires),
    steps: steps ?? undefined,
    errors: errors ?? undefined,
  };
}

/** The number of the claim that a token is from; undefined for one that was made up, or given to another instance. */
export function callOf(
  session: Session,
  { seq, token }: Pick<ClaimRef, "seq" | "token">,
): number | undefined {
  const call = Number(String(token).split("-")[1]);
  return tokenOf(session, call, seq) === token ? call : undefined;
}

function tokenOf({ instance }: Session, call: number, seq: number | string | null | undefined): string {
  return `${instance}-${call}-${seq}`;
}
