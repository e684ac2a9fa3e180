/**
 * Makes ready the peers that are there; of the others it says why they are left out.
 *
 * @param makers Makes each one ready, by name.
 */
export async function peersOf<T>(
  makers: Readonly<Record<string, () => Promise<T>>>,
  { peers: wanted }: { readonly peers: boolean },
): Promise<Record<string, T>> {
  const ready: Record<string, T> = {};
  for (const [name, make] of Object.entries(wanted ? makers : {})) {
    try {
      ready[name] = await make();
    } catch (error) {
      console.error(`left out: ${name}: ${String(error).split("\n")[0]}`);
    }
  }
  return ready;
}

/** Loads a peer. What we use of it is typed by the caller, so that the bench type-checks where no peer is installed. */
export async function load<T>(name: string): Promise<T> {
  return (await import(name)) as T;
}
