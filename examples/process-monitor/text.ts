// How the monitor writes numbers, times and foreign text.

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const DAY_MS = 86_400_000;

/** 1234567 as "1.23M". */
export function formatCount(count: number | bigint): string {
  return compact.format(count);
}

/** 1234567n as "1.2 MiB". */
export function formatBytes(bytes: bigint): string {
  let amount = Number(bytes);
  let unit = 0;
  while (amount >= 1000 && unit < BYTE_UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${amount.toFixed(unit === 0 || amount >= 100 ? 0 : 1)} ${BYTE_UNITS[unit]}`;
}

/** 3725.4 as "1:02:05", 65.4 as "1:05.4". */
export function formatSeconds(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${(Math.floor((seconds % 60) * 10) / 10).toFixed(1).padStart(4, '0')}`;
  const rest = String(Math.floor(seconds) % 60).padStart(2, '0');
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}

/** The time of a day not long ago, else the day. */
export function formatStart(start: Date, now: Date): string {
  const age = now.getTime() - start.getTime();
  return age < DAY_MS ? start.toLocaleTimeString('en-GB') : start.toLocaleDateString('en-CA').slice(2);
}

/** A horizontal bar as long as `fraction` of `width` columns, in steps of an eighth. */
export function bar(fraction: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, fraction)) * width * 8);
  return '█'.repeat(Math.floor(eighths / 8)) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8];
}

/** Text of strangers, safe to print: a process may put anything into its name, escape sequences too. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}
