import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { asServer } from "./private-server.ts";

/** For the title of what is skipped where no certificate can be made; empty where it can. */
export const noOpenssl =
  spawnSync("openssl", ["version"]).status === 0 ? "" : " (skipped: openssl is not on the PATH)";

/** A certificate of its own for `localhost`, and its key, which a server of the test's may read. */
export function selfSigned(): { readonly certificate: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o777);
  const [certificate, key] = [join(folder, "server.crt"), join(folder, "server.key")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const what = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", ...subject];
  const [file, parameters] = asServer("openssl", [...what, "-keyout", key, "-out", certificate]);
  execFileSync(file, parameters, { stdio: "ignore", cwd: folder });
  return { certificate, key };
}
