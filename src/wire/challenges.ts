import type { Challenge } from '../model/challenge.ts';
import { checkArgument, checkFields } from '../model/check-arguments.ts';

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const padding = /[ \t]*/y;
const token68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;
// Some registries do not quote a URL: it ends at the next comma, quote or space.
const bare = /[^",\s]+/y;

/**
 * Parses `WWW-Authenticate`: one or several challenges in one or several lines, names in any case, values quoted or
 * not. Parsing a line stops at the first syntax error; the challenges before it are returned.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenges(value: string | readonly string[] | undefined): readonly Challenge[] {
  if (value !== undefined) checkArgument('parseChallenges', 'the header', value, ['string', 'array']);
  const lines = typeof value === 'string' ? [value] : (value ?? []);
  return lines.flatMap((line) => {
    checkArgument('parseChallenges', 'a line', line, 'string');
    return parseLine(line);
  });
}

function parseLine(line: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(line);
    if (match) at = pattern.lastIndex;
    return match;
  };
  while (at < line.length) {
    take(padding);
    if (line[at] === ',') {
      at += 1;
      continue;
    }
    const word = take(token)?.[0];
    if (word === undefined) break;
    take(padding);
    if (line[at] === '=') {
      const current = challenges.at(-1);
      if (!current) break;
      at += 1;
      take(padding);
      const value = take(quoted)?.[1]?.replace(/\\(.)/g, '$1') ?? take(bare)?.[0] ?? '';
      const key = word.toLowerCase();
      if (!current.parameters.has(key)) current.parameters.set(key, value);
    } else {
      challenges.push({ scheme: word.toLowerCase(), parameters: new Map() });
      take(token68);
    }
  }
  return challenges.map(({ scheme, parameters }) => ({ scheme, parameters: Object.fromEntries(parameters) }));
}

/** Formats one challenge with quoted values. The inverse of {@link parseChallenges}. */
export function formatChallenge(challenge: Challenge): string {
  checkFields('formatChallenge', 'the challenge', challenge, { scheme: 'string', parameters: 'object' });
  const parameters = Object.entries(challenge.parameters).map(
    ([key, value]) => `${key}="${value.replace(/["\\]/g, '\\$&')}"`,
  );
  const scheme = challenge.scheme.replace(/^./, (first) => first.toUpperCase());
  return parameters.length === 0 ? scheme : `${scheme} ${parameters.join(',')}`;
}
