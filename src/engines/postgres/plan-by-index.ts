/**
 * How our functions are planned: by the indexes, whatever the statistics say. A queue's table is empty in one minute and
 * has a million rows in the next; a plan that was right in the one is a catastrophe in the other, and stays until somebody
 * says ANALYZE. And planned once for each session: left to itself, the server finds that a plan for the very arrays of this call
 * looks cheaper, and spends more on planning than the claim takes. (Set for the length of a call; it costs 2 µs.)
 */
export const PLAN_BY_INDEX = `set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off
  set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan`;
