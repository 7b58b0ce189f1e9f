/** Returns true if a text matches a pattern. */
type Glob = (text: string) => boolean;

/** One step of a pattern: a character that it takes, or any number of them. */
interface Step {
  readonly takes: (character: string) => boolean;
  readonly repeats: boolean;
}

/** Longer than any name; the time to match grows with the product of both lengths. */
const maxPatternLength = 1024;

/**
 * Parses a shell pattern: `*` matches any characters but a slash, `**` a slash too, `?` one character but a slash, `[a-z]`
 * one of a class, `[!a-z]` and `[^a-z]` one outside it, `\` makes the next character a plain one. The whole text must match.
 *
 * @returns Undefined for a class that does not end, a `\` at the end, or a pattern of more than 1024 characters.
 * @see https://pkg.go.dev/path#Match
 */
export function parseGlob(pattern: string): Glob | undefined {
  const steps = parseSteps(pattern);
  return steps && ((text) => matches(steps, text));
}

const notSlash = (character: string): boolean => character !== '/';

function parseSteps(pattern: string): readonly Step[] | undefined {
  if (pattern.length > maxPatternLength) return undefined;
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    if (character === '*') {
      const end = pattern.slice(at).search(/[^*]|$/);
      steps.push({ takes: end > 1 ? () => true : notSlash, repeats: true });
      at += end - 1;
    } else if (character === '?') steps.push({ takes: notSlash, repeats: false });
    else if (character === '[') {
      const parsed = parseClass(pattern, at + 1);
      if (!parsed) return undefined;
      steps.push({ takes: parsed.takes, repeats: false });
      at = parsed.end;
    } else {
      if (character === '\\') at += 1;
      const literal = pattern[at];
      if (literal === undefined) return undefined;
      steps.push({ takes: (one) => one === literal, repeats: false });
    }
  }
  return steps;
}

/** @returns The class, and where its `]` is. */
function parseClass(pattern: string, start: number): { takes: Step['takes']; end: number } | undefined {
  let at = start;
  const negated = pattern[at] === '!' || pattern[at] === '^';
  if (negated) at += 1;
  const ranges: (readonly [string, string])[] = [];
  const next = (): string | undefined => {
    if (pattern[at] === '\\') at += 1;
    const character = pattern[at];
    at += 1;
    return character;
  };
  while (pattern[at] !== ']' || ranges.length === 0) {
    const low = next();
    if (low === undefined) return undefined;
    let high: string | undefined = low;
    if (pattern[at] === '-' && pattern[at + 1] !== ']') {
      at += 1;
      high = next();
      if (high === undefined) return undefined;
    }
    ranges.push([low, high]);
  }
  const isIn = (one: string): boolean => ranges.some(([low, high]) => low <= one && one <= high);
  return { takes: (one) => one !== '/' && isIn(one) !== negated, end: at };
}

// All the steps that can be reached are followed at once: several stars would make a backtracking matcher slow.
function matches(steps: readonly Step[], text: string): boolean {
  let reached = skipRepeats(steps, new Set([0]));
  for (let at = 0; at < text.length && reached.size > 0; at += 1) {
    const character = text[at] ?? '';
    const further = new Set<number>();
    for (const step of reached) {
      if (!steps[step]?.takes(character)) continue;
      further.add(steps[step].repeats ? step : step + 1);
    }
    reached = skipRepeats(steps, further);
  }
  return reached.has(steps.length);
}

/** Adds the steps behind those that may match nothing. A set grows while it is read. */
function skipRepeats(steps: readonly Step[], reached: Set<number>): Set<number> {
  for (const step of reached) if (steps[step]?.repeats) reached.add(step + 1);
  return reached;
}
