import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { validate } from "dockerfile-utils";
import { describe, expect, test } from "vitest";
import { root, textOf } from "./deploy-files.ts";
import { environmentOf, execForm, instructionsOf, lastStage } from "./dockerfile.ts";

const dockerfile = textOf("deploy/docker/Dockerfile");
const image = lastStage(dockerfile);

describe("the Dockerfile", () => {
  test("has no mistake that the linter knows, and the linter sees a planted one", () => {
    expect(validate(dockerfile)).toEqual([]);
    expect(validate(dockerfile.replace("EXPOSE 8080", "EXPOZE 8080"))).not.toEqual([]);
  });

  test("builds on a slim Node 24", () => {
    expect(all("ARG", instructionsOf(dockerfile))).toEqual(["NODE_IMAGE=node:24-slim"]);
    expect(only("FROM")).toBe("${NODE_IMAGE} AS runtime");
  });

  test("opens 8080, stops by SIGTERM and keeps its two folders", () => {
    expect(only("EXPOSE")).toBe("8080");
    expect(only("STOPSIGNAL")).toBe("SIGTERM");
    expect(execForm(only("VOLUME"))).toEqual(["/app/data", "/app/logs"]);
  });

  test("sets what a container needs", () => {
    expect(environmentOf(image)).toEqual({
      NODE_ENV: "production",
      HOST: "0.0.0.0",
      PORT: "8080",
      ENGINE_URL: "sqlite:data/app.db",
      LOG_DIR: "logs",
      SHUTDOWN_TIMEOUT: "8s",
    });
  });

  test("runs as a user that is not root and owns the folders it writes to", () => {
    const user = only("USER");
    expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(all("RUN")).toEqual([`mkdir data logs && chown ${user} data logs`]);
  });

  test("starts what npm start runs, without npm", () => {
    // A package.json that is not ours to type: the one script is asserted right here.
    const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
    const command = execForm(only("CMD"));
    expect(command).toEqual(["node", "dist/cli/main.js", "start", "examples/production.ts"]);
    expect(scripts["start"]).toContain(`exec ${command.join(" ")}`);
  });

  test("carries production dependencies only", () => {
    const stages = dockerfile.split(/^FROM /m);
    const dependencies = stages.find((stage) => stage.includes("AS dependencies"));
    expect(dependencies).toContain("npm ci --omit=dev --ignore-scripts");
    expect(all("COPY").filter((value) => value.includes("node_modules"))).toEqual([
      "--from=dependencies /app/node_modules ./node_modules",
      "--from=build /app/node_modules/zod ./node_modules/zod",
    ]);
  });

  test("copies only what exists and what the ignore file lets through", () => {
    const ignore = textOf("deploy/docker/Dockerfile.dockerignore").split("\n");
    const sources = all("COPY", instructionsOf(dockerfile))
      .filter((value) => !value.startsWith("--from="))
      .flatMap((value) => value.split(/\s+/).slice(0, -1));
    expect(ignore).toContain("*");
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
    expect(new Set(ignore.filter((line) => line.startsWith("!")))).toEqual(
      new Set(sources.map((source) => `!${source}`)),
    );
  });
});

describe("the health check", () => {
  test("passes when /live answers 200", async () => {
    expect(await runHealthCheck(200)).toEqual({ code: 0, asked: ["/live"] });
  });

  test("fails when /live answers 503", async () => {
    expect(await runHealthCheck(503)).toEqual({ code: 1, asked: ["/live"] });
  });

  test("fails when nothing listens", async () => {
    const closed = await listen(200);
    await closed.close();
    expect(await healthCheck(closed.port)).toBe(1);
  });
});

/** Runs the image's own command against a server that answers with the status. */
async function runHealthCheck(status: number): Promise<{ code: number | null; asked: string[] }> {
  const server = await listen(status);
  try {
    return { code: await healthCheck(server.port), asked: server.asked };
  } finally {
    await server.close();
  }
}

async function healthCheck(port: number): Promise<number | null> {
  const [, ...args] = execForm(only("HEALTHCHECK"));
  const child = spawn(process.execPath, args, {
    env: { ...process.env, PORT: String(port) },
    stdio: "ignore",
  });
  await once(child, "exit");
  return child.exitCode;
}

async function listen(status: number) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(status).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  const close = async () => {
    server.closeAllConnections();
    await server[Symbol.asyncDispose]();
  };
  return { port: address.port, asked, close };
}

function all(name: string, instructions = image): string[] {
  return instructions.filter((instruction) => instruction.name === name).map(({ value }) => value);
}

function only(name: string): string {
  const values = all(name);
  if (values.length !== 1) throw new Error(`${values.length} ${name} in the last stage, not one`);
  return values[0] ?? "";
}
