/** What a figure counts. Rates are better when larger, all others when smaller. */
export type Unit = "/s" | "ns" | "ms" | "MB" | "B";

/** The figures of one measurement: ours, those of the peers by name, and the limit, which does nothing but the bare work. */
export interface Figures {
  readonly ours: number;
  readonly peers: Readonly<Record<string, number>>;
  readonly limit: number | undefined;
}

/** What a figure has to reach. */
export interface Goal {
  readonly text: string;
  met(figures: Figures): boolean;
}

/** One line of the table. */
export interface Row extends Figures {
  readonly row: string;
  readonly unit: Unit;
  readonly goal: string | undefined;
  readonly ok: boolean | undefined;
}

/** How a question is measured. */
export interface MeasureOptions {
  /** Within 30 s, on fewer samples. */
  readonly quick: boolean;
  /** Whether the peers are measured too. */
  readonly peers: boolean;
}

/** Makes a row and judges it. */
export function rowOf(row: string, unit: Unit, figures: Figures, goal?: Goal): Row {
  return { row, unit, ...figures, goal: goal?.text, ok: goal?.met(figures) };
}

/** Of a rate: at least this share of the limit. */
export function ofLimit(share: number): Goal {
  return {
    text: `≥ ${share} of limit`,
    met: ({ ours, limit }) => limit !== undefined && ours >= share * limit,
  };
}

/** At most this. */
export function atMost(value: number, unit: Unit): Goal {
  return { text: `≤ ${value} ${unit}`, met: ({ ours }) => ours <= value };
}

/**
 * At most `value` on the machine on which the goal was set, where the limit took `limitWas`. Of this machine it is asked
 * in the same ratio, since ratios are what repeats itself.
 *
 * @param limitOf Whose limit stands for the machine, where it is not the row's own: another row's name, and its figure.
 */
export function atMostScaled(
  value: number,
  unit: Unit,
  limitWas: number,
  limitOf?: { readonly row: string; readonly limit: number | undefined },
): Goal {
  const ratio = value / limitWas;
  const whose = limitOf ? ` ${limitOf.row}` : "";
  return {
    text: `≤ ${ratio.toPrecision(2)} × limit${whose} (${value} ${unit})`,
    met: ({ ours, limit }) => ours <= ratio * ((limitOf ? limitOf.limit : limit) ?? Number.NaN),
  };
}

/** In addition to another goal: better than every peer that was measured. For units of which less is better. */
export function andAhead(goal: Goal): Goal {
  return {
    text: `${goal.text}, ahead of peers`,
    met: (figures) => goal.met(figures) && Object.values(figures.peers).every((peer) => figures.ours < peer),
  };
}
