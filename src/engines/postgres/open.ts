/** In a script, where v_seal is known: refuses to go on in a schema that is sealed; the message is the seal. */
export const REFUSE_SEALED =
  "if v_seal is not null then raise exception '%', v_seal using errcode = 'DF002'; end if;";
export const MUST_BE_OPEN = `select m.seal into v_seal from {s}.meta m;
  ${REFUSE_SEALED}`;

/** The same before statements that go with it in one transaction. */
export const OPEN = "select {s}.open_1()";
export const OPEN_SCRIPT = `create function {s}.open_1() returns void language plpgsql as $$
declare v_seal text;
begin
  ${MUST_BE_OPEN}
end $$`;
