import type { Claim } from "../engine.ts";

/** How long a suspect waits while another runs. */
export const SUSPECT_WAIT_MS = 1_000;

/**
 * Keeps those apart that may end this process: deliveries on their last attempt, of which an earlier one ended with its
 * process. Whatever was claimed together with the true culprit looks the same, and would be buried with it; run one at a
 * time, only the culprit goes on dying.
 */
export class Suspects {
  #running: Claim | undefined;

  /**
   * Parts claims into those that may begin now, at most one suspect among them, and those that have to wait.
   * @param attemptsOf How many attempts the handler of a claim has.
   */
  part(
    claims: readonly Claim[],
    attemptsOf: (claim: Claim) => number,
  ): { readonly now: readonly Claim[]; readonly later: readonly Claim[] } {
    const later: Claim[] = [];
    const now = claims.filter((claim) => {
      if (!isSuspect(claim, attemptsOf(claim))) return true;
      if (this.#running === undefined) this.#running = claim;
      else later.push(claim);
      return this.#running === claim;
    });
    return { now, later };
  }

  /** A delivery has ended, and its process has not. */
  ended(claim: Claim): void {
    if (this.#running === claim) this.#running = undefined;
  }
}

/** An attempt that failed has left its error; one that ended with its process has not. */
function isSuspect({ attempt, errors }: Claim, attempts: number): boolean {
  if (attempt === 1 || attempt !== attempts) return false;
  try {
    const failures: unknown = errors === undefined ? [] : JSON.parse(errors);
    return !Array.isArray(failures) || failures.length < attempt - 1;
  } catch {
    return true;
  }
}
