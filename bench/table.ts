// Prints the lines of all rows as one table.
import { type Comparison, isReached, type Line } from './row.ts';

const HEADINGS = [
  'operation',
  'sharecord',
  'by hand',
  'figure',
  'quartiles',
  'reach',
  '',
  'C',
  'figure',
  'reach',
  '',
];

const amount = (value: number, unit: string): string =>
  `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;

const SPELL: Readonly<Record<Comparison['kind'], (figure: number) => string>> = {
  ratio: (figure) => `${figure.toFixed(2)}x`,
  faster: (figure) => `${figure.toFixed(figure < 10 ? 1 : 0)}x faster`,
  more: (figure) => `${figure < 0 ? '-' : '+'}${Math.abs(figure).toFixed(1)}`,
};

const bound = (kind: Comparison['kind']): string => (kind === 'faster' ? '>=' : '<=');

/** A question mark: the medians' figure lies outside its own quartiles, so that the machine was not quiet. */
function verdict(comparison: Comparison): string {
  const { figure, low, high } = comparison;
  const reached = isReached(comparison);
  const steady = figure >= low && figure <= high;
  return `${reached === undefined ? '' : reached ? 'ok' : 'MISSED'}${steady ? '' : '?'}`;
}

function figures(comparison: Comparison | undefined, unit: string, spread: boolean): string[] {
  if (comparison === undefined) return spread ? ['', '', '', '', ''] : ['', '', '', ''];
  const { kind, value, figure, low, high, limit } = comparison;
  const spell = SPELL[kind];
  return [
    amount(value, unit),
    spell(figure),
    ...(spread ? [`${spell(low)} to ${spell(high)}`] : []),
    limit === undefined ? '' : `${bound(kind)} ${kind === 'ratio' ? `${limit}x` : limit}`,
    verdict(comparison),
  ];
}

function cells({ operation, unit, ours, script, native }: Line): string[] {
  return [operation, amount(ours, unit), ...figures(script, unit, true), ...figures(native, unit, false)];
}

/** Spells the table; numbers stand at the right. */
export function tableOf(lines: readonly Line[]): string {
  const rows = [HEADINGS, ...lines.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
