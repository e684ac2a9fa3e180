import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A file beside the one that is followed. */
export interface Neighbour {
  readonly path: string;
  readonly inode: string;
  /** When it was last written to, in nanoseconds since 1970. */
  readonly modified: bigint;
  /** When it was made. */
  readonly born: bigint;
}

const COMPRESSED = /\.(?:gz|bz2|xz|zst|lz4|zip)$/;

/** Where the file of this inode is now: under its own name or, renamed, anywhere in the same folder. */
export async function findInode(file: string, inode: string): Promise<string | undefined> {
  const all = await neighbours(file, () => true);
  return all.find((neighbour) => neighbour.inode === inode)?.path;
}

/** The inode that has this name now, if any has. */
export async function inodeOf(path: string): Promise<string | undefined> {
  return (await neighbour(path))?.inode;
}

/** The rotated files, or copies, that were written to at this moment (nanoseconds since 1970) or later, oldest first. */
export async function rotatedSince(file: string, moment: bigint): Promise<Neighbour[]> {
  const rotated = await neighbours(file, (name) => isRotated(basename(file), name));
  return rotated.filter(({ modified }) => modified >= moment).toSorted(byAge);
}

function byAge(a: Neighbour, b: Neighbour): number {
  return Number(a.modified - b.modified) || Number(a.born - b.born);
}

/** Whether a name is that of a rotated file that can be read: `app.log.1`, `app.log-20261122`. Not `app-1.log`: that may be another program's. */
function isRotated(base: string, name: string): boolean {
  return name.startsWith(base) && /^[.-]\d/.test(name.slice(base.length)) && !COMPRESSED.test(name);
}

async function neighbours(file: string, wanted: (name: string) => boolean): Promise<Neighbour[]> {
  const folder = dirname(file);
  const names: string[] = await readdir(folder).catch(() => []);
  const found = await Promise.all(names.filter(wanted).map((name) => neighbour(join(folder, name))));
  return found.filter((one) => one !== undefined);
}

async function neighbour(path: string): Promise<Neighbour | undefined> {
  // A file that goes away in between is no neighbour any more.
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  if (!stats?.isFile()) return undefined;
  return { path, inode: String(stats.ino), modified: stats.mtimeNs, born: stats.birthtimeNs };
}
