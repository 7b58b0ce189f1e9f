import type { Driver } from '../../../src/storage/driver.ts';
import type { Scope } from '../../support/sandbox.ts';
import { faultsOf } from './judge.ts';
import { type OperationName, operationOf, type Pair } from './pairs.ts';
import type { Place } from './places.ts';
import { runs } from './runs.ts';
import { type Call, type Interleaving, interleave, keyOf, type Side, Stops, stoppable } from './stops.ts';
import { openRegistry, type Part, readState, type State } from './world.ts';

export interface Meetings {
  /** How often the operations have met. */
  count: number;
  /** The faults, one line each. */
  readonly faults: string[];
}

/**
 * Stops each of two operations before its calls, and lets the other one run to its end.
 *
 * @param every Also stops at calls where the order cannot matter, because the previous call and the other side's calls
 * are unrelated. @param most About how many stops in each order: of more, some are tried, evenly spread.
 */
export async function meetAtEveryCall(
  place: Place,
  pair: Pair,
  t: Scope,
  { every = false, most = Number.POSITIVE_INFINITY }: { readonly every?: boolean; readonly most?: number } = {},
): Promise<Meetings> {
  const open = await place.open(t, partsOf(pair));
  const before = await readState(await seen(place, await open()));
  const meetings: Meetings = { count: 0, faults: [] };
  for (const order of ordersOf(pair)) {
    const sides = [sideOf(order[0]), sideOf(order[1])] as const;
    const usual = [await alone(await open(), sides[0]), await alone(await open(), sides[1])] as const;
    const others = new Map<string, Call>();
    let [step, found] = [1, 0];
    for (let at = 1, met: Interleaving | undefined; at === 1 || met?.stoppedBefore !== undefined; at += 1) {
      const passed = met?.callsOfFirst[at - 2];
      if (!every && passed !== undefined && !meets(passed, [...others.values()])) continue;
      found += 1;
      if (at > 1 && found % step !== 0) continue;
      const driver = await open();
      met = await interleave(driver, sides, { at, usual });
      for (const call of met.callsOfSecond) others.set(keyOf(call), call);
      if (at === 1)
        step = Math.ceil(met.callsOfFirst.filter((call) => meets(call, [...others.values()])).length / most) || 1;
      meetings.count += 1;
      meetings.faults.push(...(await faultsAfter({ ...pair, names: order }, met, before, await seen(place, driver))));
    }
  }
  return meetings;
}

/**
 * Stops both operations before each of their calls: the second when the first has stopped. Then the first one ends
 * before the second.
 */
export async function meetAtTwoCalls(place: Place, pair: Pair, t: Scope): Promise<Meetings> {
  const open = await place.open(t, partsOf(pair));
  const before = await readState(await seen(place, await open()));
  const meetings: Meetings = { count: 0, faults: [] };
  for (const order of ordersOf(pair)) {
    const sides = [sideOf(order[0]), sideOf(order[1])] as const;
    const usual = [await alone(await open(), sides[0]), await alone(await open(), sides[1])] as const;
    for (let at = 1, isThere = true; isThere; at += 1) {
      for (let secondAt = 2, isSecond = true; isSecond; secondAt += 1) {
        const driver = await open();
        const met = await interleave(driver, sides, { at, secondAt, usual });
        isThere = met.stoppedBefore !== undefined;
        isSecond = isThere && met.callsOfSecond.length > secondAt;
        meetings.count += 1;
        const faults = await faultsAfter({ ...pair, names: order }, met, before, await seen(place, driver));
        meetings.faults.push(...faults.map((fault) => `${fault} (stopped itself at call ${secondAt})`));
      }
    }
  }
  return meetings;
}

async function seen(place: Place, driver: Driver): Promise<Driver> {
  return (await place.look?.(driver)) ?? driver;
}

function partsOf({ names }: Pair): ReadonlySet<Part> {
  return new Set(names.flatMap((name) => operationOf(name).needs ?? []));
}

function ordersOf({ names }: Pair): readonly Pair['names'][] {
  const [a, b] = names;
  return a === b ? [names] : [names, [b, a]];
}

async function faultsAfter(pair: Pair, met: Interleaving, before: State, driver: Driver): Promise<string[]> {
  const faults = faultsOf(pair, met, before, await readState(driver));
  const [first, second] = pair.names;
  const stop = met.stoppedBefore === undefined ? 'ends' : keyOf(met.stoppedBefore);
  return faults.map((fault) => `"${second}" before "${first}" ${stop}: ${fault}`);
}

async function alone(driver: Driver, side: Side<Driver>): Promise<ReadonlyMap<string, number>> {
  const stops = new Stops();
  await side(stoppable(driver, stops), stops).catch(() => {}); // what it says there is told where nobody meets it
  return stops.made;
}

function sideOf(name: OperationName): Side<Driver> {
  return async (driver, stops) => void (await runs[name](openRegistry(driver), () => stops.waiting()));
}

/** The names of driver methods that change nothing; any other method counts as a change. */
const readers = /(?:^|\.)(?:read|get|stat|head|list|find|openRead|open$|isHeld|exists|next|close)[^.]*$/;

// Whether the order of a call and the other side's calls can matter. A directory is related to everything in it.
function meets({ name, paths }: Call, others: readonly Call[]): boolean {
  return others.some(
    (other) =>
      !(readers.test(name) && readers.test(other.name)) &&
      paths.some((path) => other.paths.some((its) => `${its}/`.startsWith(`${path}/`) || path.startsWith(`${its}/`))),
  );
}
