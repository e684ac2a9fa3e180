import { EngineError } from "../../errors.ts";
import type { Session } from "./session.ts";

/** The place of the present session, which all ports share; empty before start and after stop. */
export class Seat {
  #session: Session | undefined;

  get taken(): boolean {
    return this.#session !== undefined;
  }

  /** @throws {EngineError} `ENGINE_NOT_STARTED` outside of start and stop; what ended the session, where something did. */
  get session(): Session {
    if (this.#session?.fault) throw this.#session.fault;
    if (this.#session) return this.#session;
    throw new EngineError("ENGINE_NOT_STARTED", "The postgres engine is not started: call start() first.");
  }

  take(session: Session): void {
    this.#session = session;
  }

  /** Empties it; answers who sat there. */
  leave(): Session | undefined {
    const session = this.#session;
    this.#session = undefined;
    return session;
  }
}
