import { FileFollower, type FileFollowerOptions } from "./file-follower.ts";
import { type Following, GlobFollower, isGlob } from "./glob-follower.ts";

/**
 * Follows a file, or all that a glob names, and gives out each line that is added; see {@link FileFollower} for what is promised.
 *
 * @param file The file; it need not be there yet. Or a glob: `"/var/log/app/*.log"`.
 * @param options `onLine`, and where to begin and to remember the position.
 * @returns The follower, started; `stop()` it, or write `await using`.
 * @example
 * await using follower = await follow("logs/app.log", { onLine: (line) => app.match(line), state: engine.state });
 */
export async function follow(file: string, options: Omit<FileFollowerOptions, "file">): Promise<Following> {
  const follower = isGlob(file)
    ? new GlobFollower({ ...options, file })
    : new FileFollower({ ...options, file });
  await follower.start();
  return follower;
}
