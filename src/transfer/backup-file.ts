import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import type { StoredRecord } from "../engine-transfer.ts";
import { BackupError } from "../errors.ts";
import { version as frameworkVersion } from "../version.ts";

/*
 * The form of a backup: gzip (RFC 1952) of lines of JSON. The first line says what it is, the last how many records
 * stand between them and what their SHA-256 is, so that a file that was cut off or changed is known before it is used.
 */

const FORMAT = "decorator-framework/backup";
const VERSION = 1;
/** Records that are handed over together. */
const PIECE = 1_000;

/** The first line of a backup. */
export interface BackupHeader {
  readonly format: typeof FORMAT;
  readonly version: number;
  /** Of the framework that wrote it. */
  readonly framework: string;
  /** The scheme of the engine it was taken from. */
  readonly engine: string;
  /** Milliseconds since 1970, by the engine's clock. */
  readonly takenAt: number;
}

const KINDS: ReadonlySet<string> = new Set<StoredRecord["kind"]>([
  "subscription",
  "delivery",
  "dead_letter",
  "dedupe",
  "schedule",
  "limit",
  "state",
]);

/** How many records of each kind. */
export type RecordCounts = Partial<Record<StoredRecord["kind"], number>>;

interface Footer {
  readonly end: true;
  readonly records: RecordCounts;
  readonly sha256: string;
}

/**
 * Writes records to a file, which gets its name when it is whole and on the disk: an older one of that name stays until then.
 *
 * @param file Its path; by custom with the ending `.ndjson.gz`.
 * @throws {BackupError} `BACKUP_UNWRITABLE`.
 */
export async function writeBackup(
  file: string,
  from: Pick<BackupHeader, "engine" | "takenAt">,
  pieces: AsyncIterable<readonly StoredRecord[]>,
): Promise<RecordCounts> {
  // A name that nobody else has: another backup to the same file does not meet this one.
  const partial = `${file}.${crypto.randomUUID()}.partial`;
  const counts: RecordCounts = {};
  try {
    const header = { format: FORMAT, version: VERSION, framework: frameworkVersion, ...from };
    await pipeline(
      linesOf(header, pieces, counts),
      createGzip(),
      createWriteStream(partial, { mode: 0o600, flags: "wx" }),
    );
    await sync(partial, "r+");
    await rename(partial, file);
    // The new name, too, is on the disk then.
    await sync(dirname(file), "r");
    return counts;
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    if (!isSystemError(error)) throw error;
    throw new BackupError(
      "BACKUP_UNWRITABLE",
      `The backup ${file} could not be written: ${error.message}. Make room, or name another place.`,
      { cause: error },
    );
  }
}

async function sync(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  await handle.sync();
  await handle.close();
}

async function* linesOf(
  header: object,
  pieces: AsyncIterable<readonly StoredRecord[]>,
  counts: RecordCounts,
): AsyncGenerator<string, void> {
  const hash = createHash("sha256");
  const first = `${JSON.stringify(header)}\n`;
  hash.update(first);
  yield first;
  for await (const piece of pieces) {
    for (const { kind } of piece) counts[kind] = (counts[kind] ?? 0) + 1;
    const text = piece.map((record) => `${JSON.stringify(record)}\n`).join("");
    hash.update(text);
    if (text !== "") yield text;
  }
  const footer: Footer = { end: true, records: counts, sha256: hash.digest("hex") };
  yield `${JSON.stringify(footer)}\n`;
}

/**
 * Reads a whole backup and compares it with what its last line says.
 *
 * @throws {BackupError} `BACKUP_UNREADABLE`, `BACKUP_DAMAGED`, `BACKUP_VERSION`.
 */
export async function checkBackup(file: string): Promise<{ header: BackupHeader; records: RecordCounts }> {
  const reader = new Reader(file);
  for await (const _ of reader.pieces()) {
    // Only its sum counts.
  }
  return { header: reader.header, records: reader.records };
}

/** The records of a backup. It should have been checked: what is wrong with it shows only at its end. */
export function readBackup(file: string): AsyncIterable<readonly StoredRecord[]> {
  return new Reader(file).pieces();
}

class Reader {
  readonly #file: string;
  readonly #hash: Hash = createHash("sha256");
  readonly records: RecordCounts = {};
  #header: BackupHeader | undefined;
  #footer: Footer | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  get header(): BackupHeader {
    if (!this.#header) throw this.#damaged("it is empty");
    return this.#header;
  }

  async *pieces(): AsyncGenerator<readonly StoredRecord[], void> {
    let piece: StoredRecord[] = [];
    try {
      for await (const line of this.#lines()) {
        const record = this.#take(line);
        if (!record || piece.push(record) < PIECE) continue;
        yield piece;
        piece = [];
      }
    } catch (error) {
      throw this.#failure(error);
    }
    this.#checkSum();
    if (piece.length > 0) yield piece;
  }

  async *#lines(): AsyncGenerator<string, void> {
    const source = createReadStream(this.#file);
    const text = source.pipe(createGunzip());
    // pipe does not carry errors over.
    source.once("error", (error) => text.destroy(error));
    try {
      // Not by readline, which takes U+2028 for the end of a line: JSON has it inside of strings (RFC 8259).
      const rest: string[] = [];
      for await (const chunk of text.setEncoding("utf8") as AsyncIterable<string>) {
        const lines = chunk.split("\n");
        if (lines.length > 1) yield rest.splice(0).join("") + lines.shift();
        // The last has no end yet, and may be long: its parts are put together once.
        rest.push(lines.pop() ?? "");
        yield* lines;
      }
      const last = rest.join("");
      if (last !== "") yield last;
    } finally {
      source.destroy();
      text.destroy();
    }
  }

  #take(line: string): StoredRecord | undefined {
    if (this.#footer) throw this.#damaged("something stands behind its end");
    const value = JSON.parse(line) as StoredRecord | BackupHeader | Footer | null; // the sum says whether we wrote it
    if (typeof value !== "object" || value === null) throw this.#damaged("a line of it is no record");
    if (!this.#header) {
      this.#header = this.#checkHeader(value as BackupHeader); // the first line
      this.#hash.update(`${line}\n`);
      return undefined;
    }
    if ("end" in value) {
      this.#footer = value;
      return undefined;
    }
    this.#hash.update(`${line}\n`);
    const record = value as StoredRecord; // neither the first line nor the last
    if (!KINDS.has(record.kind)) throw this.#damaged(`it has a record of an unknown kind, ${record.kind}`);
    this.records[record.kind] = (this.records[record.kind] ?? 0) + 1;
    return record;
  }

  #checkHeader(header: BackupHeader): BackupHeader {
    if (header.format !== FORMAT) throw this.#damaged("it is not a backup of this framework");
    if (header.version <= VERSION) return header;
    throw new BackupError(
      "BACKUP_VERSION",
      `The backup ${this.#file} was written by version ${header.framework}, in a form that this version does not know. Use that version or a newer one. Nothing was written.`,
    );
  }

  #checkSum(): void {
    if (!this.#footer) throw this.#damaged("its end is missing");
    if (this.#footer.sha256 !== this.#hash.digest("hex"))
      throw this.#damaged("its checksum does not fit its content");
  }

  #failure(error: unknown): unknown {
    if (error instanceof BackupError) return error;
    if (error instanceof SyntaxError) return this.#damaged("a line of it is not JSON", error);
    if (!isSystemError(error)) return error;
    if (error.code.startsWith("Z_")) return this.#damaged(error.message, error);
    return new BackupError(
      "BACKUP_UNREADABLE",
      `The backup ${this.#file} cannot be read: ${error.message}.`,
      {
        cause: error,
      },
    );
  }

  #damaged(how: string, cause?: unknown): BackupError {
    return new BackupError(
      "BACKUP_DAMAGED",
      `The backup ${this.#file} is damaged: ${how}. Nothing was written. Use another copy.`,
      { cause },
    );
  }
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error && "code" in error && typeof error.code === "string" && !("retryable" in error)
  );
}
