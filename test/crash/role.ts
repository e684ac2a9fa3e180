/** What a process of the crash suite is to do. */
export interface Role {
  /** It publishes without end; otherwise it handles. */
  readonly publishes: boolean;
  /** It carries the log over into the file all the time. */
  readonly checkpoints?: boolean;
  /** Of what it draws at random, and where its numbers begin. */
  readonly seed: number;
  /** Where it kills itself: see crash-point.ts. */
  readonly crashAt?: number;
}

/** How many deliveries of one handler a process has under way. */
export const CONCURRENCY = 20;
