/**
 * Runs two operations on one driver, and stops one of them before a chosen call until the other has ended. This file knows
 * nothing about drivers: every method counts as a call, including those of their parts and of the objects they return.
 */

export interface Call {
  /** Such as `openAppend.write`. */
  readonly name: string;
  /** All text arguments, including those of the call that returned this object. */
  readonly paths: readonly string[];
}

export function keyOf({ name, paths }: Call): string {
  return [name, ...paths].join(' ');
}

/** Lets the calls of one side pass, up to the one where it stops. */
export class Stops {
  readonly calls: Call[] = [];
  /** Resolves when a call is held and no other is running. */
  readonly stopped: Promise<void>;
  /** Resolves when the side repeats a call again and again: it waits for what the other side holds. */
  readonly waits: Promise<void>;
  readonly #stopAt: number;
  readonly #usual: ReadonlyMap<string, number>;
  readonly #made = new Map<string, number>();
  readonly #held: (() => void)[] = [];
  #open = false;
  #underWay = 0;
  #tellStopped: () => void = () => {};
  #tellWaits: () => void = () => {};

  /**
   * @param stopAt The call that is held, from 1, together with all later ones; if absent, none.
   * @param usual How often the side makes each call when it runs alone. More than twice as often counts as waiting.
   */
  constructor(stopAt = Number.POSITIVE_INFINITY, usual: ReadonlyMap<string, number> = new Map()) {
    this.#stopAt = stopAt;
    this.#usual = usual;
    this.stopped = new Promise((resolve) => {
      this.#tellStopped = resolve;
    });
    this.waits = new Promise((resolve) => {
      this.#tellWaits = resolve;
    });
  }

  /** How often each call was made. */
  get made(): ReadonlyMap<string, number> {
    return this.#made;
  }

  /** The call that is or was held. */
  get heldCall(): Call | undefined {
    return this.calls[this.#stopAt - 1];
  }

  /** Reports that the side waits for the other one. */
  waiting(): void {
    this.#tellWaits();
  }

  /** Lets all calls pass from now on. */
  open(): void {
    this.#open = true;
    for (const go of this.#held.splice(0)) go();
  }

  async run<T>(call: Call, work: () => T): Promise<Awaited<T>> {
    this.calls.push(call);
    const key = keyOf(call);
    const made = (this.#made.get(key) ?? 0) + 1;
    this.#made.set(key, made);
    if (made > 2 * (this.#usual.get(key) ?? 0) + 3) this.#tellWaits();
    if (!this.#open && this.calls.length >= this.#stopAt) {
      const turn = new Promise<void>((resolve) => this.#held.push(resolve));
      this.#look();
      await turn;
    }
    this.#underWay += 1;
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
      this.#look();
    }
  }

  #look(): void {
    if (this.#held.length > 0 && this.#underWay === 0) this.#tellStopped();
  }
}

const root: Call = { name: '', paths: [] };

/** The same object, with every call going through `stops`. */
export function stoppable<T extends object>(target: T, stops: Stops, { name, paths }: Call = root): T {
  return new Proxy({} as T, {
    has: (_, key) => Reflect.has(target, key),
    get(_, key) {
      const value: unknown = Reflect.get(target, key, target);
      const path = { name: name === '' ? String(key) : `${name}.${String(key)}`, paths };
      if (typeof value === 'function') return (...args: unknown[]) => callOf(target, value, path, args, stops);
      return wrapped(value, stops, path);
    },
  });
}

// A method returns a promise or an iterable. Which one is only known after the call, so this returns both in one.
function callOf(target: object, method: object, of: Call, args: unknown[], stops: Stops): Promise<unknown> {
  const call = { name: of.name, paths: [...of.paths, ...args.filter((arg) => typeof arg === 'string')] };
  const result = stops
    .run(call, () => Reflect.apply(method as (...args: unknown[]) => unknown, target, args))
    .then((value) => wrapped(value, stops, call));
  result.catch(() => {}); // told to whoever awaits it
  return Object.assign(result, {
    async *[Symbol.asyncIterator]() {
      yield* (await result) as AsyncIterable<unknown>;
    },
  });
}

function wrapped(value: unknown, stops: Stops, of: Call): unknown {
  if (typeof value !== 'object' || value === null || isData(value)) return value;
  return Symbol.asyncIterator in value
    ? stoppedIterable(value as AsyncIterable<unknown>, stops, of)
    : stoppable(value, stops, of);
}

async function* stoppedIterable(items: AsyncIterable<unknown>, stops: Stops, of: Call): AsyncGenerator<unknown> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await stops.run({ ...of, name: `${of.name}.next` }, () => iterator.next());
      if (done) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

function isData(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    return Reflect.ownKeys(value).every((key) => {
      const part: unknown = Reflect.get(value, key);
      return typeof part !== 'function' && (typeof part !== 'object' || part === null || isData(part));
    });
  }
  return Array.isArray(value) || [Date, Uint8Array, Map, Set].some((kind) => value instanceof kind);
}

export type Outcome = { readonly done: true } | { readonly done: false; readonly error: unknown };

export interface Interleaving {
  /** The call before which the first side was stopped; undefined if it has fewer calls. */
  readonly stoppedBefore: Call | undefined;
  readonly callsOfFirst: readonly Call[];
  readonly callsOfSecond: readonly Call[];
  readonly first: Outcome;
  readonly second: Outcome;
}

export type Usual = readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>];

/** What a side does with its driver. `stops.waiting()` reports that it waits for the other side. */
export type Side<D> = (driver: D, stops: Stops) => Promise<void>;

/**
 * Stops the first side before its `at`-th call, runs the second side to its end, and lets the first continue. If the
 * second is stopped as well, at its `secondAt`-th call, the first ends before the second continues.
 *
 * @param usual The calls of each side when it runs alone: a side that makes a call far more often waits for the other;
 * both then run.
 */
export async function interleave<D extends object>(
  driver: D,
  [first, second]: readonly [Side<D>, Side<D>],
  { at, secondAt, usual }: { readonly at: number; readonly secondAt?: number; readonly usual: Usual },
): Promise<Interleaving> {
  const stopsOfFirst = new Stops(at, usual[0]);
  const stopsOfSecond = new Stops(secondAt, usual[1]);
  const firstEnd = outcomeOf(first(stoppable(driver, stopsOfFirst), stopsOfFirst));
  await Promise.race([stopsOfFirst.stopped, firstEnd]);
  const secondEnd = outcomeOf(second(stoppable(driver, stopsOfSecond), stopsOfSecond));
  await Promise.race([stopsOfSecond.stopped, stopsOfSecond.waits, secondEnd]);
  stopsOfFirst.open();
  await Promise.race([stopsOfFirst.waits, firstEnd]);
  stopsOfSecond.open();
  return {
    stoppedBefore: stopsOfFirst.heldCall,
    callsOfFirst: stopsOfFirst.calls,
    callsOfSecond: stopsOfSecond.calls,
    first: await firstEnd,
    second: await secondEnd,
  };
}

async function outcomeOf(work: Promise<void>): Promise<Outcome> {
  try {
    await work;
    return { done: true };
  } catch (error) {
    return { done: false, error };
  }
}
