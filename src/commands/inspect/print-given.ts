import { visible } from '../../model/quote.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/**
 * Prints a registry's answer, byte for byte. On a terminal, control characters are escaped: they could move its cursor,
 * overwrite earlier output or run its functions.
 */
export function printGiven(terminal: Terminal, given: string | Uint8Array): Promise<void> {
  if (!terminal.out$.isTTY) return terminal.out(given);
  const text = typeof given === 'string' ? given : new TextDecoder().decode(given);
  return terminal.out(text.replace(/[^\n\t]+/g, visible));
}
