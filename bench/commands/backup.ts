/* The command that all contestants serve under many names: `/backup17 42 full --dry-run`. */

/** What its handler gets. */
export interface Backup {
  readonly id: number;
  readonly mode?: "full" | "incremental" | undefined;
  readonly dryRun: boolean;
}

export type Handler = (args: Backup) => Promise<number>;

export const NAME = "backup";
export const USAGE = "<id:int> [mode:full|incremental] [--dry-run]";

export const handler: Handler = async ({ id, dryRun }) => (dryRun ? id : 0);

/** Texts that call commands all over the list, as they come from outside: each a string of its own. */
export function texts(count: number): string[] {
  const step = Math.max(1, Math.floor(count / 64));
  return Array.from(
    { length: Math.min(64, count) },
    (_, at) => `/${NAME}${(at * step) % count} 42 full --dry-run`,
  );
}
