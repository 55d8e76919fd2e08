// `sharecord describe` and `sharecord codegen`: what a module's layouts look like.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type AnyLayout, codegen, type Layout } from '../index.ts';
import { print } from './print.ts';

interface LayoutChoice {
  readonly layout?: string;
  readonly abi?: Layout['abi'];
}
type Language = Parameters<typeof codegen>[1];

/** Prints the offset table of each layout. */
export async function describeModule(path: string, choice: LayoutChoice): Promise<void> {
  const tables = (await layoutsOf(path, choice)).map((layout) => layout.describe());
  print(tables.join('\n').trimEnd());
}

/** Prints the source text of one layout. */
export async function codegenModule(path: string, choice: LayoutChoice & { lang: Language }): Promise<void> {
  const layouts = await layoutsOf(path, choice);
  if (layouts.length > 1) {
    const names = layouts.map(({ name }) => name).join(', ');
    throw new Error(`cannot write source text: ${path} exports ${names}, choose one with --layout`);
  }
  const write = await codegenOf(path);
  print(write(layouts[0] as AnyLayout, choice.lang).trimEnd());
}

/** Imports a module and gives the layouts that it exports: the one asked for, or all. */
async function layoutsOf(path: string, { layout: wanted, abi }: LayoutChoice): Promise<AnyLayout[]> {
  const exported = Object.values((await import(pathToFileURL(resolve(path)).href)) as object);
  const layouts = [...new Set(exported)].filter(isLayout);
  const chosen = wanted === undefined ? layouts : layouts.filter(({ name }) => name === wanted);
  if (chosen.length === 0) {
    const names = layouts.map(({ name }) => name).join(', ');
    throw new Error(
      `cannot find a layout in ${path}: expected ${wanted ?? 'an exported struct()'}, found ${names || 'none'}`,
    );
  }
  return abi === undefined ? chosen : chosen.map((layout) => layout.on(abi));
}

function isLayout(value: unknown): value is AnyLayout {
  const layout = value as Partial<AnyLayout> | null;
  return typeof value === 'object' && layout?.kind === 'struct' && typeof layout.describe === 'function';
}

/** Gives `codegen` of the copy of the library that made the module's layouts: another copy does not know them. */
async function codegenOf(path: string): Promise<typeof codegen> {
  try {
    const file = createRequire(resolve(path)).resolve('sharecord');
    return ((await import(pathToFileURL(file).href)) as { codegen: typeof codegen }).codegen;
  } catch {
    return codegen;
  }
}
