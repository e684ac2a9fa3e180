import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IService } from "kubernetes-models/v1";
import { describe, expect, test } from "vitest";
import { documentOf, documentsOf, textOf } from "./deploy-files.ts";
import { only } from "./only.ts";
import { hasPromtool, mustHave, promtool } from "./promtool.ts";

interface Rules {
  groups: { name: string; rules: { alert: string; expr: string; for: string }[] }[];
}

interface Scraping {
  rule_files: string[];
  scrape_configs: {
    job_name: string;
    static_configs?: { targets: string[] }[];
    dns_sd_configs?: { names: string[]; type: string; port: number }[];
  }[];
}

const { rules } = only(documentOf<Rules>("deploy/prometheus/alerts.yaml").groups);
const local = documentOf<Scraping>("deploy/prometheus/prometheus.yaml");
const cluster = documentOf<Scraping>("deploy/prometheus/prometheus.kubernetes.yaml");

describe("the alert rules", () => {
  test("are the guide's two, word for word", () => {
    expect(rules.map(({ alert, expr, for: time }) => ({ alert, expr, for: time }))).toEqual([
      { alert: "HighErrorRate", expr: 'rate(framework_events_total{status="error"}[5m]) > 0.1', for: "5m" },
      { alert: "ServiceDown", expr: 'up{job="decorator-framework"} == 0', for: "1m" },
    ]);
  });

  test.each([
    ["prometheus.yaml", local],
    ["prometheus.kubernetes.yaml", cluster],
  ])("%s loads them and scrapes the job they ask for", (_, { rule_files, scrape_configs }) => {
    expect(rule_files).toEqual(["alerts.yaml"]);
    expect(only(scrape_configs).job_name).toBe("decorator-framework");
  });

  test("in the cluster, the pods are found by the headless service", () => {
    const [service] = documentsOf("deploy/kubernetes/service.yaml")
      // The file holds two Services, checked against their schema by kubernetes.test.ts.
      .map((each) => each as IService)
      .filter(({ spec }) => spec?.clusterIP === "None");
    const { name, namespace } = service?.metadata ?? {};
    expect(only(cluster.scrape_configs).dns_sd_configs).toEqual([
      {
        names: [`${name}.${namespace}.svc.cluster.local`],
        type: "A",
        port: service?.spec?.ports?.[0]?.port,
        refresh_interval: "15s",
      },
    ]);
  });
});

describe("promtool", () => {
  test.for([
    ["check", "rules", "alerts.yaml"],
    ["test", "rules", "alerts.test.yaml"],
    ["check", "config", "prometheus.yaml"],
    ["check", "config", "prometheus.kubernetes.yaml"],
  ])("%s %s %s", (args, { skip }) => {
    if (!hasPromtool && !mustHave) skip("promtool is not installed: apt-get install prometheus");
    const { code, text } = promtool(...args);
    expect(text).toContain("SUCCESS");
    expect(code).toBe(0);
  });

  test("would see a rule that never fires", async ({ skip }) => {
    if (!hasPromtool && !mustHave) skip("promtool is not installed: apt-get install prometheus");
    const folder = await mkdtemp(join(tmpdir(), "alerts-"));
    try {
      await writeFile(
        join(folder, "alerts.yaml"),
        textOf("deploy/prometheus/alerts.yaml").replace("> 0.1", "> 1000"),
      );
      await writeFile(join(folder, "alerts.test.yaml"), textOf("deploy/prometheus/alerts.test.yaml"));
      const { code, text } = promtool("test", "rules", join(folder, "alerts.test.yaml"));
      expect(code).toBe(1);
      expect(text).toContain("HighErrorRate");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
