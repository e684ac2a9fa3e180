import { FileFollower, type FileFollowerOptions } from "./file-follower.ts";

/**
 * Follows a file and gives out each line that is added to it; see {@link FileFollower} for what is promised.
 *
 * @param file The file; it need not be there yet.
 * @param options `onLine`, and where to begin and to remember the position.
 * @returns The follower, started; `stop()` it, or write `await using`.
 * @example
 * await using follower = await follow("logs/app.log", { onLine: (line) => app.match(line), state: engine.state });
 */
export async function follow(
  file: string,
  options: Omit<FileFollowerOptions, "file">,
): Promise<FileFollower> {
  const follower = new FileFollower({ ...options, file });
  await follower.start();
  return follower;
}
