import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { documentOf, parseYaml, root, textOf } from "./deploy-files.ts";
import { manifestFaults } from "./manifest-faults.ts";

const english = textOf("docs/deploy.md");
const chinese = textOf("docs/zh-CN/deploy.md");
const commands = codeOf(english, "bash").join("\n");

describe("docs/deploy.md", () => {
  test("says in Chinese what it says in English: the same outline, the same code, the same tables", () => {
    expect(outlineOf(chinese)).toEqual(outlineOf(english));
    for (const language of ["bash", "yaml", "dockerfile"]) {
      expect(codeOf(english, language)).not.toEqual([]);
      expect(codeOf(chinese, language)).toEqual(codeOf(english, language));
    }
    expect(rowsOf(chinese)).toBe(rowsOf(english));
  });

  test("links within a page lead somewhere", () => {
    for (const page of [english, chinese]) {
      const anchors = [...page.matchAll(/\]\(#(?<anchor>[^)]+)\)/g)].map(({ groups }) => groups?.["anchor"]);
      expect(anchors).not.toEqual([]);
      for (const anchor of anchors) expect(headingsOf(page).map(slug)).toContain(anchor);
    }
  });

  test("names only files that exist", () => {
    const files = [...english.matchAll(/\b(?:deploy|test)\/[\w./-]*\w/g)].map(([file]) => file);
    // Made by the reader.
    const made = ["deploy/compose/.env", "deploy/compose/logs"];
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((file) => !made.includes(file) && !existsSync(join(root, file)))).toEqual([]);
  });

  test("applies every file of the kustomization", () => {
    const { resources } = documentOf<{ resources: string[] }>("deploy/kubernetes/kustomization.yaml");
    for (const file of resources) expect(commands).toContain(`kubectl apply -f deploy/kubernetes/${file}`);
  });

  test("shows manifests that Kubernetes would take", () => {
    const [claim, change] = codeOf(english, "yaml").flatMap((code) => parseYaml(code, "docs/deploy.md"));
    expect(manifestFaults(claim)).toEqual([]);
    const deployment = documentOf<{ spec: { template: { spec: object } } }>(
      "deploy/kubernetes/deployment.yaml",
    );
    const { spec } = Object(change);
    const template = {
      ...deployment.spec.template,
      spec: { ...deployment.spec.template.spec, ...spec.template.spec },
    };
    expect(manifestFaults({ ...deployment, spec: { ...deployment.spec, ...spec, template } })).toEqual([]);
    expect(spec.template.spec.volumes[0].persistentVolumeClaim.claimName).toBe(Object(claim).metadata.name);
  });

  test("its backup command copies a database that is in use", async () => {
    const script = /node -e "(?<script>[^"]*VACUUM[^"]*)"/.exec(commands)?.groups?.["script"] ?? "";
    const folder = await mkdtemp(join(tmpdir(), "backup-"));
    try {
      await mkdir(join(folder, "data"));
      using used = new DatabaseSync(join(folder, "data/app.db"));
      used.exec("PRAGMA journal_mode = WAL; CREATE TABLE kept (n); INSERT INTO kept VALUES (1), (2)");
      execFileSync(process.execPath, ["-e", script], { cwd: folder });
      using copy = new DatabaseSync(join(folder, "data/backup.db"));
      expect(copy.prepare("SELECT count(*) AS n FROM kept").get()).toEqual({ n: 2 });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** The text of each fenced block of the language. */
function codeOf(page: string, language: string): string[] {
  const blocks = page.matchAll(/^```(?<language>\w+)\n(?<code>[^]*?)^```$/gm);
  return [...blocks]
    .filter(({ groups }) => groups?.["language"] === language)
    .map(({ groups }) => groups?.["code"] ?? "");
}

function headingsOf(page: string): string[] {
  return [...page.matchAll(/^#+ .+$/gm)].map(([heading]) => heading);
}

/** The depth of each heading in its order. */
function outlineOf(page: string): number[] {
  return headingsOf(page).map((heading) => heading.indexOf(" "));
}

function rowsOf(page: string): number {
  return [...page.matchAll(/^(?:\||- )/gm)].length;
}

/** The anchor that a Markdown viewer gives to a heading. */
function slug(heading: string): string {
  return heading
    .replace(/^#+ /, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} -]/gu, "")
    .replaceAll(" ", "-");
}
