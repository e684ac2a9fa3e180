/** The states of a delivery, as the table has them. */
export const RUNNING = 0;
export const READY = 1;
/** Not before `until`. */
export const WAITING = 2;
/** Behind another of its key, which is in one of the other states. */
export const BLOCKED = 3;
