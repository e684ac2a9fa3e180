import type { IDeployment } from "kubernetes-models/apps/v1";
import type { IConfigMap, ISecret, IService } from "kubernetes-models/v1";
import { describe, expect, test } from "vitest";
import { VARIABLES } from "../../src/config-variables.ts";
import { readConfig } from "../../src/config.ts";
import { documentOf, documentsOf, textOf } from "./deploy-files.ts";
import { environmentOf, lastStage } from "./dockerfile.ts";
import { only } from "./only.ts";
import { packagesOf } from "./packages-of.ts";

/** Read by Node and the C library rather than by the app. */
const OTHERS = ["NODE_ENV", "TZ"];
const names = [...Object.values(VARIABLES).map(({ name }) => name), ...OTHERS];

const image = lastStage(textOf("deploy/docker/Dockerfile"));
const compose = documentOf<{
  services: Record<string, { ports?: string[]; environment?: Record<string, string> }>;
}>("deploy/compose/compose.yaml");
const configMap = documentOf<IConfigMap>("deploy/kubernetes/configmap.yaml");
const secret = documentOf<ISecret>("deploy/kubernetes/secret.example.yaml");
const settings: [string, Record<string, string>][] = [
  ["Dockerfile", environmentOf(image)],
  ["compose.yaml", compose.services["decorator-app"]?.environment ?? {}],
  ["configmap.yaml", configMap.data ?? {}],
  ["secret.example.yaml", secret.stringData ?? {}],
];

describe("across the files", () => {
  test.each(settings)("%s sets only variables that exist", (_, variables) => {
    expect(Object.keys(variables)).not.toEqual([]);
    expect(Object.keys(variables).filter((name) => !names.includes(name))).toEqual([]);
  });

  test.each(settings)("%s gives values that the app takes", (_, variables) => {
    // Its value comes from the reader: the shell's for compose, the real Secret's for Kubernetes.
    const env = { ...variables, API_TOKENS: "a-token-of-the-reader" };
    expect(readConfig(env).warnings).toEqual([]);
  });

  test("an example secret that was applied as it is stops the app at its start", () => {
    expect(() => readConfig(secret.stringData)).toThrow("API_TOKENS");
  });

  test("the port is 8080 everywhere", () => {
    const deployment = documentOf<IDeployment>("deploy/kubernetes/deployment.yaml");
    const container = only(deployment.spec?.template.spec?.containers ?? []);
    // The file holds two Services, checked against their schema by kubernetes.test.ts.
    const services = documentsOf("deploy/kubernetes/service.yaml") as IService[];
    const ports = {
      exposed: image.find(({ name }) => name === "EXPOSE")?.value,
      environment: environmentOf(image)["PORT"],
      compose: compose.services["decorator-app"]?.ports,
      container: container.ports?.map(({ containerPort }) => containerPort),
      services: services.flatMap(({ spec }) => spec?.ports?.map(({ port }) => port)),
      prometheus: /targets: \["localhost:(?<port>\d+)"\]/.exec(textOf("deploy/prometheus/prometheus.yaml"))
        ?.groups?.["port"],
    };
    expect(ports).toEqual({
      exposed: "8080",
      environment: "8080",
      compose: ["8080:8080"],
      container: [8080],
      services: [8080, 8080],
      prometheus: "8080",
    });
  });

  test("the ConfigMap, which anybody may read, holds no secret", () => {
    expect(Object.keys(configMap.data ?? {})).not.toContain("API_TOKENS");
  });

  test("what the image starts imports only what the image carries", () => {
    const own = dependenciesOf("").concat("decorator-framework");
    const copied = image.flatMap(
      ({ value }) => / \.\/node_modules\/(?<name>\S+)$/.exec(value)?.groups?.["name"] ?? [],
    );
    const imported = packagesOf("examples/production.ts");
    expect(imported).toContain("decorator-framework");
    expect(imported.filter((name) => !own.includes(name) && !copied.includes(name))).toEqual([]);
    // A package that is copied by itself comes without what it would depend on.
    expect(copied.flatMap((name) => dependenciesOf(`node_modules/${name}`))).toEqual([]);
  });
});

/** The names of what a package of the lock file depends on; the root is `""`. */
function dependenciesOf(path: string): string[] {
  // The lock file is npm's, in the form that npm documents; a package that is missing in it is asserted here.
  const lock = JSON.parse(textOf("package-lock.json")) as {
    packages: Record<string, { dependencies?: Record<string, string> }>;
  };
  expect(lock.packages).toHaveProperty([path]);
  return Object.keys(lock.packages[path]?.dependencies ?? {});
}
