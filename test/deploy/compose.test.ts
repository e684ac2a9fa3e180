import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { toMs } from "../../src/duration.ts";
import { documentOf, root } from "./deploy-files.ts";

interface Service {
  image: string;
  build?: { context: string; dockerfile: string };
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  restart: string;
  stop_grace_period?: string;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
}

const compose = documentOf<{ services: Record<string, Service>; volumes: Record<string, unknown> }>(
  "deploy/compose/compose.yaml",
);
const { "decorator-app": app, redis, "logs-owner": logsOwner } = compose.services;

describe("compose", () => {
  test("holds the app, Redis and the one that hands the logs folder over", () => {
    expect(Object.keys(compose.services)).toEqual(["decorator-app", "logs-owner", "redis"]);
  });

  test("builds the app from the root of the repository by our Dockerfile", () => {
    const context = join("deploy/compose", app?.build?.context ?? "");
    expect(join(root, context)).toBe(root);
    expect(existsSync(join(root, context, app?.build?.dockerfile ?? "missing"))).toBe(true);
  });

  test("opens the app's port to all and Redis to this machine only", () => {
    expect(app?.ports).toEqual(["8080:8080"]);
    expect(redis?.ports).toEqual(["127.0.0.1:6379:6379"]);
  });

  test("has the guide's settings and refuses to start without tokens", () => {
    expect(app?.environment).toMatchObject({ LOG_LEVEL: "INFO", SCHEDULER_ENABLED: "true" });
    expect(app?.environment?.["API_TOKENS"]).toMatch(/^\$\{API_TOKENS:\?.+\}$/);
    expect([app?.restart, redis?.restart]).toEqual(["unless-stopped", "unless-stopped"]);
  });

  test("grants the drain the time it takes", () => {
    const drain = toMs(app?.environment?.["SHUTDOWN_TIMEOUT"] ?? "");
    expect(toMs(app?.stop_grace_period ?? "")).toBeGreaterThanOrEqual(drain + 5_000);
  });

  test("keeps the logs beside it and the data in a volume that is declared", () => {
    expect(app?.volumes).toEqual(["./logs:/app/logs", "app-data:/app/data"]);
    expect(Object.keys(compose.volumes)).toEqual(["app-data", "redis-data"]);
    expect(redis?.volumes).toEqual(["redis-data:/data"]);
  });

  test("hands the logs folder to the app's user before the app starts", () => {
    expect(logsOwner?.entrypoint).toEqual(["chown", "1000:1000", "/app/logs"]);
    expect(logsOwner?.volumes).toEqual(["./logs:/app/logs"]);
    expect(app?.depends_on).toEqual({ "logs-owner": { condition: "service_completed_successfully" } });
  });

  test("Redis writes to its volume, and both are watched", () => {
    expect(redis?.command).toEqual(["redis-server", "--appendonly", "yes"]);
    expect(redis?.healthcheck?.test.join(" ")).toContain("redis-cli ping");
    expect(app?.healthcheck?.test.join(" ")).toContain("http://127.0.0.1:8080/ready");
  });

  test("the app does not yet use Redis", () => {
    expect(app?.environment?.["ENGINE_URL"]).toBe("sqlite:data/app.db");
    expect(app?.depends_on).not.toHaveProperty("redis");
  });
});
