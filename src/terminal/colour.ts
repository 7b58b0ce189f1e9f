import { Chalk } from 'chalk';
import type { Painter } from './terminal.ts';

/** Paints with the sixteen basic colours, which every terminal theme makes readable. Loaded only for terminals. */
export function createPainter(): Painter {
  const chalk = new Chalk({ level: 1 });
  return (style, text) => chalk[style](text);
}
