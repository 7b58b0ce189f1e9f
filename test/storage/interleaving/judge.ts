import { type Operation, operationOf, type Pair } from './pairs.ts';
import type { Interleaving } from './stops.ts';
import { codeOf, type State } from './world.ts';

/** The faults after two operations have met, one line each. */
export function faultsOf(
  { names, strict }: Pair,
  { first, second }: Pick<Interleaving, 'first' | 'second'>,
  before: State,
  after: State,
): string[] {
  const sides = [first, second].map((outcome, i) => {
    const name = names[i === 0 ? 0 : 1];
    return { name, outcome, operation: operationOf(name) };
  });
  const failures = sides.flatMap(({ name, operation, outcome }) => {
    if (outcome.done) return [];
    const code = codeOf(outcome.error);
    const allowed = !strict && operation.mayFail?.some((named) => named === code);
    return allowed ? [] : [`"${name}" failed with ${code}`];
  });
  const operations = sides.map(({ operation }) => operation);
  const done = sides.filter(({ outcome }) => outcome.done).map(({ operation }) => operation);
  const keys = new Set([
    ...before.keys(),
    ...after.keys(),
    ...operations.flatMap(({ gives = {} }) => Object.keys(gives)),
  ]);
  const faults = [...keys].sort().flatMap((key) => {
    const is = after.get(key);
    const may = acceptable(key, before.get(key), operations, done);
    if (is?.startsWith('broken') && done.some(({ breaks }) => matches(key, breaks))) return [];
    return may.has(is)
      ? []
      : [`${key} is ${is ?? 'gone'}, not ${[...may].map((value) => value ?? 'gone').join(' or ')}`];
  });
  return [...failures, ...faults];
}

// The operations overlapped, so either may count as the later one. `undefined` means that something is absent.
function acceptable(
  key: string,
  was: string | undefined,
  operations: readonly Operation[],
  done: readonly Operation[],
): ReadonlySet<string | undefined> {
  const mayBeTaken = done.some(({ mayTake }) => matches(key, mayTake));
  const isTaken = (value: string | undefined) =>
    done.some(({ takes }) => matches(key, takes) || matches(`${key}=${value}`, takes));
  const tried = operations.flatMap(({ gives }) => gives?.[key] ?? []);
  const given = done.flatMap(({ gives }) => gives?.[key] ?? []);
  const last = given.length > 0 ? given : [was];
  const mayBeGone = mayBeTaken || last.some(isTaken);
  const stays = given.length === 0 && !isTaken(was) ? [was] : [];
  return new Set([...stays, ...(mayBeGone ? [undefined] : []), ...tried]);
}

function matches(key: string, patterns: readonly string[] = []): boolean {
  return patterns.some((pattern) => (pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern));
}
