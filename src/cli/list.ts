// `sharecord list`
import { listSegments } from '../index.ts';
import { print, printable, showLine } from './print.ts';

/** Prints a line a managed segment, columns apart by tabs. */
export function list({ json = false }: { json?: boolean }): void {
  const segments = listSegments();
  if (json) {
    for (const segment of segments) print(showLine(segment, true));
    return;
  }
  print('NAME\tKIND\tLAYOUT\tCAPACITY\tBYTES');
  for (const { name, kind, layout, capacity, size } of segments)
    print([printable(name), kind, printable(layout), capacity, size].join('\t'));
}
