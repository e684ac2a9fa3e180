/** The states of a delivery, as the file has them. */
export type DeliveryState = typeof READY | typeof WAITING | typeof BLOCKED | typeof RUNNING;

export const READY = 0;
/** Not before `until`. */
export const WAITING = 1;
/** Behind another of its key, which is in one of the other states. */
export const BLOCKED = 2;
export const RUNNING = 3;
