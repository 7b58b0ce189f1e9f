import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../../src/model/errors.ts';
import { FairQueue } from '../../../src/server/auth/fair-queue.ts';

/** A queue whose jobs end when the test says so. */
function jobs(limits: ConstructorParameters<typeof FairQueue>[0]) {
  const queue = new FairQueue(limits);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const outcomes = new Map<string, string>();
  const add = (name: string, address: string, signal?: AbortSignal): void => {
    const job = async (): Promise<void> => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.push(resolve));
    };
    queue.run(address, job, signal).then(
      () => outcomes.set(name, 'done'),
      (error: unknown) => outcomes.set(name, isOciError(error) ? error.code : String(error)),
    );
  };
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return {
    add,
    begun,
    outcomes,
    settle,
    async endFirst() {
      ends.shift()?.();
      await settle();
    },
  };
}

describe('a queue for all addresses', () => {
  it('gives each a share: who sends many waits for his own', async () => {
    const queue = jobs({ running: 3, runningEach: 2, waiting: 100 });
    for (let i = 0; i < 6; i += 1) queue.add(`many ${i}`, '192.0.2.1');
    queue.add('other', '192.0.2.2');
    await queue.settle();
    assert.deepEqual(queue.begun, ['many 0', 'many 1', 'other']);
    queue.add('late', '192.0.2.3');
    await queue.endFirst();
    assert.deepEqual(queue.begun.slice(3), ['many 2']);
    await queue.endFirst();
    assert.deepEqual(queue.begun.slice(4), ['late']);
    for (let i = 0; i < 6; i += 1) await queue.endFirst();
    assert.equal(queue.outcomes.size, 8);
  });

  it('takes the place of a newcomer from the address that waits with most', async () => {
    const queue = jobs({ running: 1, runningEach: 1, waiting: 4 });
    for (let i = 0; i < 6; i += 1) queue.add(`many ${i}`, '2001:db8::1');
    // Addresses of the same network count as one holder.
    queue.add('neighbour', '2001:db8::ffff');
    await queue.settle();
    assert.deepEqual(Object.fromEntries(queue.outcomes), { 'many 5': 'TOOMANYREQUESTS', neighbour: 'TOOMANYREQUESTS' });
    queue.add('other', '2001:db8:0:1::1');
    await queue.settle();
    assert.equal(queue.outcomes.get('many 4'), 'TOOMANYREQUESTS');
    for (let i = 0; i < 5; i += 1) await queue.endFirst();
    assert.equal(queue.outcomes.get('other'), 'done');
    assert.ok(queue.begun.indexOf('other') < queue.begun.indexOf('many 2'));
  });

  it('lets go of who no longer waits', async () => {
    const queue = jobs({ running: 1, runningEach: 1, waiting: 2 });
    const gone = new AbortController();
    queue.add('first', '192.0.2.1');
    queue.add('gone', '192.0.2.2', gone.signal);
    queue.add('last', '192.0.2.1');
    gone.abort('gone');
    await queue.settle();
    assert.equal(queue.outcomes.get('gone'), 'gone');
    await queue.endFirst();
    assert.deepEqual(queue.begun, ['first', 'last']);
  });
});
