import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Digest, digestBytes } from '../../../src/model/digest.ts';
import { garbageCollector } from '../../../src/registry/extensions.ts';
import type { Driver } from '../../../src/storage/driver.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { Marks } from '../../../src/storage/marks/marks.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { at, list } from '../drivers/every-driver.ts';
import { pushBytes, repo, text } from '../stores.ts';

const hourMs = 3_600_000;

/** A driver that notes its calls, as an object store has them answered one by one. */
function noted(driver: Driver): { readonly driver: Driver; readonly calls: string[] } {
  const calls: string[] = [];
  const noting = new Proxy(driver, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        calls.push(String(name));
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { driver: noting, calls };
}

async function digests(count: number): Promise<Digest[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => digestBytes(text(`blob ${i}`))));
}

describe('a lease of a driver without journals', () => {
  it('costs one object and one look at the collectors for each hold, however many digests', async () => {
    const { driver, calls } = noted(createMemoryDriver());
    const marks = new Marks(driver, hourMs);
    const [one, ...more] = await digests(6);
    assert.ok(one);
    for (const [held, expected] of [
      [[one], ['put', 'list']],
      [more, ['put', 'list']],
      [[one, ...more], []],
    ] as const) {
      calls.length = 0;
      await marks.hold(held);
      assert.deepEqual(calls, expected);
    }
  });

  it('keeps from collectors what it holds: by name, or several in one object', async () => {
    const driver = createMemoryDriver();
    const registry = createStorage({ driver });
    const blobs = [];
    for (let i = 0; i < 4; i += 1) blobs.push((await pushBytes(registry, repo, text(`blob ${i}`))).digest);
    const marks = new Marks(driver, hourMs);
    const [first, second, third, fourth] = blobs;
    assert.ok(first && second && third && fourth);
    await marks.hold([first]);
    await marks.hold([second, third]);
    const collected = await registry.extension(garbageCollector)?.collect();
    assert.deepEqual(
      collected?.removed.map(({ digest }) => digest),
      [fourth],
    );
  });

  it('of another host counts from what it stored last', async () => {
    const driver = createMemoryDriver();
    const registry = createStorage({ driver });
    const { digest } = await pushBytes(registry, repo, text('wanted elsewhere'));
    const foreign = `leases/${process.pid}-0123456789ab-0123456789abcdef`;
    await driver.put(at(`${foreign}/marks.1`), text(digest));
    assert.deepEqual((await registry.extension(garbageCollector)?.collect())?.removed, []);
    assert.notEqual((await list(driver, foreign)).length, 0);
    await driver.put(at(`${foreign}/end`), text(''));
    assert.deepEqual((await registry.extension(garbageCollector)?.collect())?.removed.length, 1);
    assert.deepEqual(await list(driver, 'leases'), []);
  });
});
