import type { IDeployment } from "kubernetes-models/apps/v1";
import type { IIngress } from "kubernetes-models/networking.k8s.io/v1";
import type { IConfigMap, IService } from "kubernetes-models/v1";
import { describe, expect, test } from "vitest";
import { toMs } from "../../src/duration.ts";
import { documentOf, documentsOf, textOf } from "./deploy-files.ts";
import { only } from "./only.ts";
import { lastStage } from "./dockerfile.ts";
import { manifestFaults } from "./manifest-faults.ts";

const folder = "deploy/kubernetes";
const applied = ["namespace.yaml", "configmap.yaml", "deployment.yaml", "service.yaml", "ingress.yaml"];
const deployment = documentOf<IDeployment>(`${folder}/deployment.yaml`);
// The interfaces leave nearly every field optional; a missing one fails the assertion that reads it.
const spec = deployment.spec?.template.spec;
const container = only(spec?.containers ?? []);

describe("the manifests", () => {
  test.each([...applied, "secret.example.yaml"])("%s fits the schemas of Kubernetes", (file) => {
    for (const manifest of documentsOf(`${folder}/${file}`)) expect(manifestFaults(manifest)).toEqual([]);
  });

  test("a wrong type, a missing field, an unknown field and an unknown kind would be seen", () => {
    const change = (edit: (text: string) => string): unknown => JSON.parse(edit(JSON.stringify(deployment)));
    expect(manifestFaults(change((text) => text.replace('"replicas":3', '"replicas":"three"')))).toHaveLength(
      1,
    );
    expect(manifestFaults(change((text) => text.replace('"selector":', '"chooser":')))).toHaveLength(1);
    expect(manifestFaults(change((text) => text.replace('"replicas":', '"replica":')))).toEqual([
      "unknown field /spec/replica",
    ]);
    expect(manifestFaults(change((text) => text.replace('"httpGet":', '"httpget":')))).toEqual([
      "unknown field /spec/template/spec/containers/0/startupProbe/httpget",
    ]);
    expect(manifestFaults(change((text) => text.replace("apps/v1", "apps/v0")))).toEqual([
      "unknown kind apps/v0 Deployment",
    ]);
  });

  test("the kustomization applies all of them and never the example secret", () => {
    const { resources, namespace } = documentOf<{ resources: string[]; namespace: string }>(
      `${folder}/kustomization.yaml`,
    );
    expect(resources).toEqual(applied);
    expect(namespace).toBe("decorator-prod");
  });

  test("everything lives in decorator-prod", () => {
    const manifests = [...applied, "secret.example.yaml"].flatMap((file) => documentsOf(`${folder}/${file}`));
    const homes = manifests.map((manifest) => {
      const { kind, metadata } = Object(manifest);
      return `${kind} in ${kind === "Namespace" ? metadata.name : metadata.namespace}`;
    });
    expect(homes.filter((home) => !home.endsWith(" in decorator-prod"))).toEqual([]);
  });
});

describe("the deployment", () => {
  test("has the guide's replicas and resources", () => {
    expect(deployment.spec?.replicas).toBe(3);
    expect(container.resources).toEqual({
      requests: { memory: "256Mi", cpu: "250m" },
      limits: { memory: "512Mi", cpu: "500m" },
    });
  });

  test("is probed on the endpoints that need no token", () => {
    const path = (probe: typeof container.livenessProbe) => [probe?.httpGet?.path, probe?.httpGet?.port];
    expect(path(container.startupProbe)).toEqual(["/live", "http"]);
    expect(path(container.livenessProbe)).toEqual(["/live", "http"]);
    expect(path(container.readinessProbe)).toEqual(["/ready", "http"]);
  });

  test("runs as the image's user, with nothing to write to but its three volumes", () => {
    const user = lastStage(textOf("deploy/docker/Dockerfile")).find(({ name }) => name === "USER")?.value;
    const { runAsNonRoot, runAsUser, runAsGroup, fsGroup } = spec?.securityContext ?? {};
    expect(runAsNonRoot).toBe(true);
    expect(`${runAsUser}:${runAsGroup}`).toBe(user);
    expect(fsGroup).toBe(runAsGroup);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container.volumeMounts?.map(({ mountPath }) => mountPath)).toEqual([
      "/app/data",
      "/app/logs",
      "/tmp",
    ]);
    expect(container.volumeMounts?.map(({ name }) => name)).toEqual(spec?.volumes?.map(({ name }) => name));
  });

  test("grants the pause and the drain the time they take", () => {
    const { data } = documentOf<IConfigMap>(`${folder}/configmap.yaml`);
    const [sleep, seconds] = container.lifecycle?.preStop?.exec?.command ?? [];
    expect(sleep).toBe("sleep");
    const needed = Number(seconds) * 1_000 + toMs(data?.["SHUTDOWN_TIMEOUT"] ?? "");
    expect((spec?.terminationGracePeriodSeconds ?? 0) * 1_000).toBeGreaterThanOrEqual(needed + 10_000);
  });

  test("reads the ConfigMap and the Secret that the other files make, and names a fixed version", () => {
    const nameOf = (file: string) => documentOf<IConfigMap>(`${folder}/${file}`).metadata?.name;
    expect(container.envFrom?.map((each) => each.configMapRef?.name ?? each.secretRef?.name)).toEqual([
      nameOf("configmap.yaml"),
      nameOf("secret.example.yaml"),
    ]);
    expect(container.image).toMatch(/^your-registry\/decorator-framework:\d+\.\d+\.\d+$/);
  });

  test("says what three replicas on SQLite cannot do, as long as the engine is a file", () => {
    const { data } = documentOf<IConfigMap>(`${folder}/configmap.yaml`);
    const warned = textOf(`${folder}/deployment.yaml`).includes("What three replicas on SQLite cannot do");
    expect(warned).toBe(data?.["ENGINE_URL"]?.startsWith("sqlite:"));
  });
});

describe("the way in", () => {
  // Kubernetes files may hold several documents; each of these two is a Service.
  const services = documentsOf(`${folder}/service.yaml`) as IService[];
  const ingress = documentOf<IIngress>(`${folder}/ingress.yaml`);
  const paths = ingress.spec?.rules?.flatMap((rule) => rule.http?.paths ?? []) ?? [];

  test("both services find the pods by the labels of the deployment", () => {
    expect(services.map(({ metadata }) => metadata?.name)).toEqual([
      "decorator-framework",
      "decorator-framework-pods",
    ]);
    for (const { spec: service } of services) {
      expect(service?.selector).toEqual(deployment.spec?.template.metadata?.labels);
      expect(service?.ports?.map(({ targetPort }) => targetPort)).toEqual([container.ports?.[0]?.name]);
    }
  });

  test("the ingress leads to the service, and not to what answers without a token and tells much", () => {
    expect(paths.map(({ path }) => path)).toEqual(["/health", "/events", "/commands", "/match"]);
    for (const { backend } of paths) {
      expect(backend.service).toEqual({ name: services[0]?.metadata?.name, port: { name: "http" } });
    }
  });

  test("the ingress encrypts each host that it serves", () => {
    expect(ingress.spec?.tls?.flatMap(({ hosts }) => hosts)).toEqual(
      ingress.spec?.rules?.map(({ host }) => host),
    );
  });
});
