/** The drivers that share one contract, and helpers for its tests. */
import type { TestContext } from 'node:test';
import type { Driver, ObjectReader, StorePath } from '../../../src/storage/driver.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { entriesIn } from '../../../src/storage/listing.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import { all } from '../stores.ts';

export const drivers: readonly (readonly [string, (t: TestContext) => Promise<Driver>])[] = [
  ['filesystem', async (t) => openFilesystemDriver({ root: await temporaryDirectory(t) })],
  ['memory', async () => createMemoryDriver()],
];

// In the program, only paths.ts creates these.
export const at = (path: string): StorePath => path as StorePath;

export async function list(driver: Driver, prefix: string): Promise<{ name: string; kind: string }[]> {
  return (await all(entriesIn(driver, at(prefix)))).map(({ name, kind }) => ({ name, kind }));
}

export async function readAll(object: ObjectReader): Promise<string> {
  const into = new Uint8Array(4);
  let content = '';
  for (let size = await object.read(into); size > 0; size = await object.read(into)) {
    content += Buffer.from(into.subarray(0, size)).toString();
  }
  await object.close();
  await object.close();
  return content;
}

/** A small object as text; undefined if there is none. */
export async function textOf(driver: Driver, path: string): Promise<string | undefined> {
  const bytes = await driver.get(at(path), 99);
  return bytes && Buffer.from(bytes).toString();
}
