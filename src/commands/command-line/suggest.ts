/** What was probably meant by a command or an option that there is not. */
import { editDistance } from '../../model/text/edit-distance.ts';
import { type Hints, otherCommands } from './other-commands.ts';
import { otherOptions } from './other-options.ts';

/** A hint for words whose first is no command. @param known The names of those there are. */
export function suggestCommand(words: readonly string[], known: readonly string[]): string | undefined {
  const [word = ''] = words;
  return suggestAction(words, known) ?? hintOf(otherCommands, word, /\bocictl ([a-z-]+)/, known) ?? meant(word, known);
}

/** A hint for a command and its action that are another program's, as `auth login`. */
export function suggestAction([word = '', action]: readonly string[], known: readonly string[]): string | undefined {
  return action === undefined ? undefined : hintOf(otherCommands, `${word} ${action}`, /\bocictl ([a-z-]+)/, known);
}

/** A hint for an option that the command lacks, written with or without `=value`. @param known Those it has. */
export function suggestOption(word: string, known: readonly string[]): string | undefined {
  const bare = word.split('=', 1)[0] ?? '';
  if (known.includes(bare)) return `${bare} takes no value`;
  const hint = hintOf(otherOptions, bare, /(--[a-z-]+)/, known);
  if (hint !== undefined || !bare.startsWith('--')) return hint;
  const longs = known.filter((option) => option.startsWith('--')).map((option) => option.slice(2));
  return meant(bare.slice(2), longs, '--');
}

/** The first hint whose command or option there is; the last counts anyway. */
function hintOf(
  table: ReadonlyMap<string, Hints>,
  word: string,
  naming: RegExp,
  known: readonly string[],
): string | undefined {
  const hints = [table.get(word) ?? []].flat();
  return hints.find((hint, at) => at === hints.length - 1 || known.includes(naming.exec(hint)?.[1] ?? ''));
}

function meant(word: string, known: readonly string[], prefix = ''): string | undefined {
  const near = nearest(word, known);
  return near === undefined ? undefined : `did you mean ${prefix}${near}?`;
}

/** Nobody mistypes a longer one: comparing costs the product of both lengths. */
const longestWord = 64;

/** The closest of some words: what begins alike, else what a few typing mistakes lead to, fewer in a short word. */
function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > longestWord) return undefined;
  const [longer, another] = word.length >= 3 ? known.filter((one) => one.startsWith(word)) : [];
  if (longer !== undefined && another === undefined) return longer;
  const allowed = Math.max(1, Math.floor(word.length / 3));
  const ranked = known
    .map((one) => ({ one, distance: editDistance(word, one) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && word.length >= 2 && best.distance <= allowed ? best.one : undefined;
}
