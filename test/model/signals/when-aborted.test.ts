import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unlessAborted, whenAborted } from '../../../src/model/signals/when-aborted.ts';

describe('a listener of a signal', () => {
  it('is called once when the signal aborts, and not after it was removed', () => {
    const stop = new AbortController();
    let [kept, removed] = [0, 0];
    whenAborted(stop.signal, () => {
      kept += 1;
    });
    whenAborted(stop.signal, () => {
      removed += 1;
    })();
    whenAborted(undefined, () => assert.fail())();
    stop.abort();
    stop.abort();
    assert.deepEqual([kept, removed], [1, 0]);
  });
});

describe('a promise that a signal ends the waiting for', () => {
  const reason = new Error('stopped');

  it('gives its result, or its error, where nothing aborts', async () => {
    const { signal } = new AbortController();
    assert.equal(await unlessAborted(Promise.resolve(1), signal), 1);
    assert.equal(await unlessAborted(Promise.resolve(1), undefined), 1);
    await assert.rejects(unlessAborted(Promise.reject(reason), signal), reason);
  });

  it('rejects with the reason when it aborts, or has aborted; what fails afterwards is nobody’s', async () => {
    const stop = new AbortController();
    let fail = (_: Error): void => {};
    const running = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const waiting = unlessAborted(running, stop.signal);
    stop.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(unlessAborted(running, stop.signal), reason);
    await assert.rejects(unlessAborted(Promise.resolve(), stop.signal), reason);
    fail(new Error('late'));
    await new Promise((resolve) => setImmediate(resolve));
  });
});
