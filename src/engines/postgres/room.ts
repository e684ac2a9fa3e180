/**
 * Proves that there is room on the server's disk: stores what needs some pages, and undoes it. To change a row in its place,
 * which succeeds on a full disk, too, would prove nothing.
 */
export const PROVE_ROOM = "select {s}.prove_room_1()";
export const ROOM_SCRIPT = `create function {s}.prove_room_1() returns void language plpgsql as $$
begin
  insert into {s}.delivery (seq, published, due, token, priority, sub, attempt, state, event, payload)
    select -n, 0, 0, 0, 0, 0, 0, 0, '', repeat('x', 1900) from generate_series(1, 16) n;
  raise exception 'there is room' using errcode = 'DF003';
exception when sqlstate 'DF003' then null;
end $$`;
