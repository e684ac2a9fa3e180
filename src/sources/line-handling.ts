import { type Clock, delay } from "../clock.ts";
import type { Logger } from "../log.ts";

/** Where a line stands. */
export interface LinePosition {
  /** The file as it was named when it was opened: the rotated one's name for lines that were read late. */
  readonly file: string;
  /** The line's first byte in that file. */
  readonly offset: number;
}

/** Gets a line, without its end. May return a promise: the next line comes when it has resolved. */
export type LineHandler = (line: string, position: LinePosition) => unknown;

/** The pauses, in milliseconds, before a line on which the handler fails is given to it again. */
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000] as const;

/**
 * Gives a line to its handler, again and again if it fails, and at last passes it over: neither may a line be lost
 * to a moment's failure, nor may one stop all that come after it.
 *
 * @returns false when `stopping` came first: the line was not handled.
 */
export async function handleLine(
  onLine: LineHandler,
  line: string,
  position: LinePosition,
  { clock, log, stopping }: { clock: Clock; log: Logger; stopping: AbortSignal },
): Promise<boolean> {
  for (const pause of [...PAUSES_MS, undefined]) {
    try {
      await onLine(line, position);
      return true;
    } catch (error) {
      const outcome = pause === undefined ? "it is passed over" : "it will be tried again";
      log.error({ ...position, err: error }, `a line could not be handled: ${outcome}`);
    }
    if (pause !== undefined) await delay(clock, pause, stopping).catch(() => {});
    if (stopping.aborted) return false;
  }
  return true;
}
