/*
 * The calendar as arithmetic, without Date objects. Days are counted from 1970-01-01; months from 0 to 11; a set of days
 * of a month is a number whose bit 0 is the 1st.
 */

/** A day's year, month and day of the month. */
export interface CivilDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** The date of a day, by Howard Hinnant's `civil_from_days`. */
export function civilOf(days: number): CivilDay {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const month = (fromMarch + 2) % 12;
  const year = yearOfEra + era * 400 + (month < 2 ? 1 : 0);
  return { year, month, day: ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1 };
}

/** The first day of a month: the inverse of {@link civilOf}. */
export function monthStart(year: number, month: number): number {
  const shifted = month < 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const ofYear = Math.floor((153 * ((month + 10) % 12) + 2) / 5);
  const ofEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + ofYear;
  return era * 146_097 + ofEra - 719_468;
}

/** How many days a month has. */
export function daysIn(year: number, month: number): number {
  if (month !== 1) return (0b1010_1101_0101 >> month) & 1 ? 31 : 30;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** The weekday of a day; 0 is Sunday. */
export function weekdayOf(days: number): number {
  return (((days + 4) % 7) + 7) % 7;
}

/** The lowest bit of a set from `from` on; -1 when there is none. */
export function nextBit(set: number, from: number): number {
  const rest = set & (-1 << from);
  return from > 31 || rest === 0 ? -1 : 31 - Math.clz32(rest & -rest);
}
