import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { SlowClientGuard } from '../../../src/server/http/slow-clients.ts';

/** An exchange in the form that the guard watches. */
class Client {
  awaitsClient = true;
  receivedBytes = 0;
  takenBytes = 0;
  sendingBytes = 0;
  isCut = false;

  cut(): void {
    this.isCut = true;
  }
}

/** A client under a guard that requires 1000 bytes a second, in windows of a second, with a clock that the test sets. */
function watched(t: TestContext) {
  let nowMs = 0;
  t.mock.method(performance, 'now', () => nowMs);
  t.mock.timers.enable({ apis: ['setInterval'] });
  const guard = new SlowClientGuard({ minBytesPerSecond: 1000, windowMs: 1000 });
  const client = new Client();
  let done = (): void => {};
  const finished = guard.watch(client, () => new Promise((resolve) => (done = resolve)));
  t.after(() => guard.stop());
  const wait = (ms: number): void => {
    for (let left = ms; left > 0; left -= 250) {
      nowMs += 250;
      t.mock.timers.tick(250);
    }
  };
  const finish = async (): Promise<void> => {
    done();
    await finished;
  };
  return { client, wait, finish };
}

describe('a guard against slow clients', () => {
  it('cuts who sends less than is due, when the window is over', (t) => {
    const { client, wait } = watched(t);
    wait(750);
    client.receivedBytes += 999;
    assert.equal(client.isCut, false);
    wait(250);
    assert.equal(client.isCut, true);
  });

  it('leaves who is just fast enough alone, however long it takes and however unevenly it comes', (t) => {
    const { client, wait } = watched(t);
    for (let second = 0; second < 100; second += 1) {
      wait(750);
      client[second % 2 === 0 ? 'receivedBytes' : 'takenBytes'] += 1000;
      wait(250);
      assert.equal(client.isCut, false, `after ${second} s`);
    }
    wait(1000);
    assert.equal(client.isCut, true);
  });

  it('counts no time in which the registry works', (t) => {
    const { client, wait } = watched(t);
    client.awaitsClient = false;
    wait(60_000);
    assert.equal(client.isCut, false);
    client.awaitsClient = true;
    wait(750);
    assert.equal(client.isCut, false, 'its second begins when the registry is done');
    wait(250);
    assert.equal(client.isCut, true);
  });

  it('gives a large chunk that is on its way the time that it takes at the least rate', (t) => {
    const { client, wait } = watched(t);
    client.sendingBytes = 10_000;
    wait(10_750);
    assert.equal(client.isCut, false);
    wait(250);
    assert.equal(client.isCut, true);
  });

  it('lets go of who was answered', async (t) => {
    const { client, wait, finish } = watched(t);
    await finish();
    wait(10_000);
    assert.equal(client.isCut, false);
  });
});
