import { dirname } from "node:path/posix";
import { Deployment } from "kubernetes-models/apps/v1";
import { Ingress } from "kubernetes-models/networking.k8s.io/v1";
import { ConfigMap, Namespace, PersistentVolumeClaim, Secret, Service } from "kubernetes-models/v1";

const kinds = [Deployment, Ingress, ConfigMap, Namespace, PersistentVolumeClaim, Secret, Service];

/**
 * What is wrong with a Kubernetes manifest: an unknown kind, a wrong type, a missing or an unknown field. None: `[]`.
 *
 * The models' own check lets unknown fields (`replica:`) through. It reads every field it knows, though, so a field that
 * it never reads is one that Kubernetes does not have. Only the outermost of such fields is named.
 */
export function manifestFaults(manifest: unknown): string[] {
  const { apiVersion, kind } = Object(manifest);
  const model = kinds.find((each) => each.apiVersion === apiVersion && each.kind === kind);
  if (!model) return [`unknown kind ${String(apiVersion)} ${String(kind)}`];
  const unread = new Set<string>();
  const subject: { validate(): void } = Object.assign(Object.create(model.prototype), manifest);
  try {
    watch(subject, "", unread).validate();
  } catch (error) {
    return [String(error)];
  }
  return [...unread].filter((path) => !unread.has(dirname(path))).map((path) => `unknown field ${path}`);
}

/** A view of the value that strikes each field off `unread` when it is read. */
function watch<T>(value: T, path: string, unread: Set<string>): T {
  if (typeof value !== "object" || value === null) return value;
  const children = new Map<string, unknown>();
  for (const [key, child] of Object.entries(value)) {
    if (!Array.isArray(value)) unread.add(`${path}/${key}`);
    children.set(key, watch(child, `${path}/${key}`, unread));
  }
  return new Proxy(value, {
    get(target, key, receiver) {
      if (typeof key !== "string" || !children.has(key)) return Reflect.get(target, key, receiver);
      unread.delete(`${path}/${key}`);
      return children.get(key);
    },
  });
}
