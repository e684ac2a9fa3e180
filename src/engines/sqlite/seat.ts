import { EngineError } from "../../errors.ts";
import type { Session } from "./session.ts";
import type { MUST_WRITE } from "./turn.ts";

/** The place of the present session, which all ports share; empty before start and after stop. */
export class Seat {
  #session: Session | undefined;

  get taken(): boolean {
    return this.#session !== undefined;
  }

  /** @throws {EngineError} `ENGINE_NOT_STARTED` outside of start and stop. */
  get session(): Session {
    if (this.#session) return this.#session;
    throw new EngineError("ENGINE_NOT_STARTED", "The sqlite engine is not started: call start() first.");
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

  /** Runs an operation in this turn's transaction: see {@link Turn.write}. */
  async write<T>(
    run: (session: Session) => T,
    peek?: (session: Session) => T | typeof MUST_WRITE,
  ): Promise<T> {
    const { session } = this;
    return session.turn.write(() => run(session), peek && (() => peek(session)));
  }

  /** The same for an operation that changes what the file holds. @throws {SealedError} */
  async change<T>(run: (session: Session) => T): Promise<T> {
    return this.write((session) => {
      session.needOpen();
      return run(session);
    });
  }

  /** Runs an operation that only reads. */
  async read<T>(run: (session: Session) => T): Promise<T> {
    const { session } = this;
    return session.turn.read(() => run(session));
  }
}
