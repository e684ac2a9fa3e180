import type { Cluster } from "./cluster.ts";

/** Cases about one part of the contract; a case's name is a sentence that states the guarantee. */
export interface Area {
  readonly title: string;
  readonly cases: Readonly<Record<string, (cluster: Cluster) => Promise<void>>>;
}
