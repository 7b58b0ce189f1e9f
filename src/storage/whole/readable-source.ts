import { isOciError, type OciError } from '../../model/errors.ts';
import type { Driver } from '../driver.ts';

export interface ReadableSource {
  readonly driver: Driver;
  /** Whether an error is one of its own, which concerns only what was being read. */
  isUnreadable(error: unknown): error is OciError;
}

/** A driver whose errors can be told from those of another one: what is not readable here is left out, what cannot be written there ends all. */
export function readableSource(driver: Driver): ReadableSource {
  const failed = new WeakSet<object>();
  const told =
    <Args extends unknown[], T>(read: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      try {
        return await read(...args);
      } catch (error) {
        if (isOciError(error, 'STORAGE_DAMAGED', 'STORAGE_DENIED')) failed.add(error);
        throw error;
      }
    };
  return {
    driver: {
      ...driver,
      get: told(driver.get),
      open: told(driver.open),
      stat: told(driver.stat),
      list: told(driver.list),
    },
    // What is found in lists and links is judged here, not by the driver.
    isUnreadable: (error): error is OciError =>
      isOciError(error, 'STORAGE_DAMAGED') || (isOciError(error) && failed.has(error)),
  };
}
