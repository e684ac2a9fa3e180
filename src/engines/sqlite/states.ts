/** The states of a delivery, as the file has them. */
export type DeliveryState = typeof READY | typeof WAITING | typeof BLOCKED | typeof RUNNING;

/*
 * The order matters: a claim moves an entry of the index from the first of the ready ones to the last of the running
 * ones, which is its neighbour, so that it mostly stays on the same page. A page more in a commit costs as much as a row.
 */
export const RUNNING = 0;
export const READY = 1;
/** Not before `until`. */
export const WAITING = 2;
/** Behind another of its key, which is in one of the other states. */
export const BLOCKED = 3;
