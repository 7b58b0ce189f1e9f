/**
 * Runs two operations over one driver and stops one of them before a call of its choice, until the other is through.
 * What a driver can do is not known here: every method is a call, of its parts and of the objects it returns too.
 */

export interface Call {
  /** As `openAppend.write`. */
  readonly name: string;
  /** All that it was given as text, and what the call was given that returned its object. */
  readonly paths: readonly string[];
}

export function keyOf({ name, paths }: Call): string {
  return [name, ...paths].join(' ');
}

/** Lets the calls of one side through, up to the one that it stops at. */
export class Stops {
  readonly calls: Call[] = [];
  /** Resolves when a call is held and none is under way. */
  readonly stopped: Promise<void>;
  /** Resolves when the side has made one call over and over: it waits for what the other one holds. */
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
   * @param stopAt The call that is held, from 1, with all that come after it; none where absent.
   * @param usual How often the side makes each call when it is alone. Twice as often, and some, is waiting.
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

  /** Says that the side waits for the other one. */
  waiting(): void {
    this.#tellWaits();
  }

  /** Lets everything through from now on. */
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

/** The same object, each of whose calls goes through `stops`. */
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

// What a method gives is a promise or something to iterate; which of them is known when it was called, so it is both.
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
  /** The call that the first side was stopped before; undefined when it had no more calls. */
  readonly stoppedBefore: Call | undefined;
  readonly callsOfFirst: readonly Call[];
  readonly callsOfSecond: readonly Call[];
  readonly first: Outcome;
  readonly second: Outcome;
}

export type Usual = readonly [ReadonlyMap<string, number>, ReadonlyMap<string, number>];

/** What a side does over its driver. `stops.waiting()` says that it waits for the other side. */
export type Side<D> = (driver: D, stops: Stops) => Promise<void>;

/**
 * Stops the first side before its `at`-th call, runs the second one through, and lets the first go on. The second one may
 * be stopped as well, at its `secondAt`-th call: then the first finishes before it goes on.
 *
 * @param usual What each side calls alone: one that makes a call far more often waits for the other, and then both run.
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
