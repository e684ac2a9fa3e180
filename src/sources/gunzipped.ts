import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

/**
 * Unpacks a compressed file into one without a name, which is gone when it is closed: then it is read like every other, from
 * any byte, and nobody has to unpack it in memory. Rejects for what is not whole gzip.
 */
export async function gunzipped(path: string): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), "follow-"));
  try {
    const unpacked = join(folder, "unpacked");
    await pipeline(createReadStream(path), createGunzip(), createWriteStream(unpacked, { mode: 0o600 }));
    return await open(unpacked);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
