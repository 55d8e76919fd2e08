// Source text of a layout for a peer in another language.
import { ValueError } from '../errors.ts';
import { cSource, rustSource } from './codegen-c.ts';
import { csharpSource, pascalSource, pythonSource } from './codegen-other.ts';
import { show } from './fault.ts';
import { requireLayout, shapeOn, type StructShape } from './shape.ts';
import type { Layout } from './types.ts';

/** Languages that `codegen` writes. */
export type PeerLanguage = 'c' | 'pascal' | 'python' | 'csharp' | 'rust';

const WRITERS: Readonly<Record<PeerLanguage, (shape: StructShape, title: string) => string>> = {
  c: cSource,
  pascal: pascalSource,
  python: pythonSource,
  csharp: csharpSource,
  rust: rustSource,
};

/**
 * Writes source text that declares the layout's record for a peer, with checks of sizes and offsets that the peer's compiler makes.
 * @throws ValueError VALUE_TYPE for another language; LayoutError LAYOUT_FIELD_INVALID for what is no layout
 * @example
 * codegen(struct('Job', { id: u32 }), 'c'); // … typedef struct Job { uint32_t id; } Job; …
 */
export function codegen(layout: Layout, language: PeerLanguage): string {
  if (typeof language !== 'string' || !Object.hasOwn(WRITERS, language)) {
    throw new ValueError(
      'VALUE_TYPE',
      `cannot write source text: expected one of ${Object.keys(WRITERS).join(', ')}, found ${show(language)}`,
    );
  }
  requireLayout('write source text', layout);
  const shape = shapeOn(layout, layout.abi) as StructShape;
  return WRITERS[language](shape, `${layout.size} bytes on ${layout.abi}, layout digest ${layout.digest}`);
}
