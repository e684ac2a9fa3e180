import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A file beside the one that is followed. */
export interface Neighbour {
  readonly path: string;
  readonly inode: string;
  readonly size: number;
  /** When it was last written to, in nanoseconds since 1970. */
  readonly modified: bigint;
  /** When it was made. */
  readonly born: bigint;
}

/** What is compressed so that Node cannot read it. */
const UNREADABLE = /\.(?:bz2|xz|zst|lz4|zip)$/;
const GZIPPED = /\.gz$/;
/** Some programs that compress keep a file's time in whole seconds. */
const STEP_NS = 1_000_000_000n;
/** How often a folder is listed at the most while files in it are renamed. */
const LISTS = 10;

/** Whether a file is to be unpacked before it is read. */
export function isGzipped(path: string): boolean {
  return GZIPPED.test(path);
}

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
  const since = ({ path }: Neighbour) => (isGzipped(path) ? moment - STEP_NS : moment);
  return rotated.filter((one) => one.modified >= since(one)).toSorted(byAge);
}

function byAge(a: Neighbour, b: Neighbour): number {
  const retimed = Number(isRetimed(b)) - Number(isRetimed(a));
  return retimed || Number(a.modified - b.modified) || Number(a.born - b.born);
}

/** Whether a file has the time at which it was compressed, and not that of its last line. Such ones are older than those that are not compressed yet. */
function isRetimed({ path, modified, born }: Neighbour): boolean {
  return isGzipped(path) && modified >= born;
}

/** Whether a file is one that was rotated from another of those files: `app.log.1` where `app.log` is. */
export function isRotatedFromOne(file: string, files: ReadonlySet<string>): boolean {
  const name = basename(file);
  return [...name.matchAll(/[.-]\d/g)].some(({ index }) =>
    files.has(join(dirname(file), name.slice(0, index))),
  );
}

/** Whether a name is that of a rotated file that can be read: `app.log.1`, `app.log-20261122`, `app.log.2.gz`. Not `app-1.log`: that may be another program's. */
function isRotated(base: string, name: string): boolean {
  return name.startsWith(base) && /^[.-]\d/.test(name.slice(base.length)) && !UNREADABLE.test(name);
}

async function neighbours(
  file: string,
  wanted: (name: string) => boolean,
  left = LISTS,
): Promise<Neighbour[]> {
  const folder = dirname(file);
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const there = new Set(names);
  // While the plain file is there as well, the compressed one is only being written.
  const whole = names.filter(
    (name) => wanted(name) && !(isGzipped(name) && there.has(name.slice(0, -".gz".length))),
  );
  const found = await Promise.all(whole.map((name) => neighbour(join(folder, name))));
  // One that went away meanwhile may be there under another name.
  if (left > 1 && found.includes(undefined)) return neighbours(file, wanted, left - 1);
  return found.filter((one) => one !== undefined);
}

async function neighbour(path: string): Promise<Neighbour | undefined> {
  // A file that goes away in between is no neighbour any more.
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  if (!stats?.isFile()) return undefined;
  const { ino, size, mtimeNs, birthtimeNs } = stats;
  return { path, inode: String(ino), size: Number(size), modified: mtimeNs, born: birthtimeNs };
}
