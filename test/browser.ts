import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { onTestFinished } from "vitest";

/*
 * A real browser, for tests of pages: Debian's chromium, or what CHROMIUM names. Where there is none the tests are
 * skipped, with the reason in their title; with REQUIRE_SERVERS=1 they fail.
 */

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const named = process.env["CHROMIUM"];
const executablePath = (named ? [named] : PLACES).find((path) => existsSync(path));

const absent = `no browser at ${named ?? PLACES.join(", ")}: apt-get install chromium, or set CHROMIUM`;
if (!executablePath && process.env["REQUIRE_SERVERS"] === "1") throw new Error(absent);

/** Why tests in a browser are skipped, for their title; empty where there is one. */
export const noBrowser = executablePath ? "" : ` (skipped: ${absent})`;

/** A browser with nothing in it, gone with the test. It talks to nobody on its own. */
export async function openBrowser(): Promise<Browser> {
  const browser = await chromium.launch({
    ...(executablePath && { executablePath }),
    args: [
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  onTestFinished(() => browser.close());
  return browser;
}
