import type { Driver, Upload } from '../driver.ts';

/** Takes one call that has ended. @param action The name that distribution's drivers have for it. */
type ObserveAction = (action: string, seconds: number) => void;

type Actions = Readonly<Record<string, string>>;

const driverActions: Actions = {
  get: 'GetContent',
  open: 'Reader',
  put: 'PutContent',
  putIfAbsent: 'PutContent',
  stat: 'Stat',
  exist: 'Stat',
  check: 'Stat',
  list: 'List',
  copy: 'Copy',
  delete: 'Delete',
  deleteMany: 'Delete',
  deleteIf: 'Delete',
  url: 'RedirectURL',
};
const uploadsActions: Actions = { begin: 'Writer', resume: 'Writer', find: 'Stat', abort: 'Delete' };
// Writes are not measured: they are many, and wait for the client.
const uploadActions: Actions = { commit: 'Move' };

/**
 * A driver whose calls are measured. It is a proxy, so that a driver keeps what else it has.
 *
 * @see https://distribution.github.io/distribution/storage-drivers/
 */
export function measured(driver: Driver, observe: ObserveAction): Driver {
  const uploads = timed(driver.uploads, uploadsActions, observe, (result) =>
    isUpload(result) ? timed(result, uploadActions, observe) : result,
  );
  return timed(driver, driverActions, observe, undefined, { uploads });
}

function isUpload(value: unknown): value is Upload {
  return typeof value === 'object' && value !== null && 'commit' in value;
}

function timed<T extends object>(
  target: T,
  actions: Actions,
  observe: ObserveAction,
  change?: (result: unknown) => unknown,
  instead: Partial<T> = {},
): T {
  const made = new Map<unknown, unknown>();
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(instead, name)) return Reflect.get(instead, name);
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      const known = made.get(name);
      if (known !== undefined) return known;
      const action = typeof name === 'string' && Object.hasOwn(actions, name) ? actions[name] : undefined;
      // Called on the object itself, whose private members a proxy does not have.
      const call = (...words: unknown[]): unknown => Reflect.apply(member, target, words);
      const wrapped = action === undefined ? call : measuredCall(call, (seconds) => observe(action, seconds), change);
      made.set(name, wrapped);
      return wrapped;
    },
  });
}

function measuredCall(
  call: (...words: unknown[]) => unknown,
  observe: (seconds: number) => void,
  change: ((result: unknown) => unknown) | undefined,
): (...words: unknown[]) => unknown {
  return (...words) => {
    const startedMs = performance.now();
    const ended = (): void => observe((performance.now() - startedMs) / 1000);
    const result = call(...words) as Promise<unknown>;
    // Beside the result, which so comes no later.
    result.then(ended, ended);
    return change === undefined ? result : result.then(change);
  };
}
