import { hash } from "node:crypto";

/** How far a file was read, and what is needed to know the file again. */
export interface FilePosition {
  /** The file's inode; empty for a file that was not there yet. Names move from file to file, inodes do not. */
  readonly inode: string;
  /** The byte after the last line that was handled. */
  readonly offset: number;
  /** When the file was last written to, as far as it was read: nanoseconds since 1970. Of what was rotated later only `finished` was read. */
  readonly modified: string;
  /** The fingerprint of the file's beginning: inodes are used again, and a file may be emptied and filled anew. */
  readonly head: Fingerprint;
  /** Files that were read to their end, the latest at the end: compressed, they may have another time. */
  readonly finished?: readonly FilePosition[];
}

/** A hash of a file's first bytes. Not the bytes: logs hold secrets. */
export interface Fingerprint {
  readonly bytes: number;
  readonly hash: string;
}

/** How many bytes a fingerprint covers at the most. */
export const HEAD_BYTES = 256;

/** Stands for the beginning of whichever file appears. */
export const NOWHERE: FilePosition = {
  inode: "",
  offset: 0,
  modified: "0",
  head: { bytes: 0, hash: "" },
};

/** The fingerprint of the bytes with which a file begins. */
export function fingerprint(head: Uint8Array): Fingerprint {
  return { bytes: head.length, hash: head.length === 0 ? "" : hash("sha256", head) };
}

/** Writes a position as the text that is stored. */
export function formatPosition(position: FilePosition): string {
  return JSON.stringify({ version: 2, ...position });
}

/** Reads what {@link formatPosition} wrote; undefined for anything else. */
export function parsePosition(text: string): FilePosition | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isPosition(value) ? value : undefined;
}

function isPosition(value: unknown): value is FilePosition {
  // Partial: every field is looked at below.
  const { inode, offset, modified, head, finished = [] } = (value ?? {}) as Partial<FilePosition>;
  const isHead = isCount(head?.bytes) && typeof head?.hash === "string";
  const isFinished = Array.isArray(finished) && finished.every(isPosition);
  return isHead && isFinished && typeof inode === "string" && isCount(offset) && isMoment(modified);
}

function isMoment(value: unknown): boolean {
  return typeof value === "string" && /^\d+$/.test(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
