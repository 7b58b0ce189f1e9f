import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { createLockFiles, type LockFiles, type LockRules } from '../../src/files/lock.ts';
import { evictionOf } from '../../src/files/lock-file.ts';
import { failsWith } from '../contract/contract.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const silenceMs = 10_000;
const watchMs = 3_000;
const texts = ['dead', 'alive', 'unknown'] as const;

interface Bench {
  readonly locks: LockFiles;
  readonly directory: string;
  readonly file: string;
  /** Advances the monotonic clock. */
  pass(ms: number): void;
  /** Creates a lock of another process, last touched this long ago. */
  leave(text: string, ageMs?: number): Promise<void>;
}

async function bench(t: TestContext, rules: Partial<LockRules> = {}): Promise<Bench> {
  const directory = await temporaryDirectory(t);
  const file = join(directory, 'lock');
  let [count, nowMs] = [0, 0];
  const locks = createLockFiles({
    sign: () => `ours ${count++}`,
    judge: (text) => (text.startsWith('ours') ? 'alive' : (texts.find((one) => text === one) ?? 'nameless')),
    mode: 0o600,
    silenceMs,
    watchMs,
    within: (_, create) => create(),
    nowMs: () => nowMs,
    ...rules,
  });
  return {
    locks,
    directory,
    file,
    pass(ms) {
      nowMs += ms;
    },
    async leave(text, ageMs = 0) {
      await writeFile(file, text);
      const then = new Date(Date.now() - ageMs);
      await utimes(file, then, then);
    },
  };
}

describe('a lock', () => {
  it('has one holder, and goes with it', async (t) => {
    const { locks, directory, file } = await bench(t);
    const lock = await locks.tryAcquire(file);
    assert.equal(await lock?.check(), true);
    assert.equal(await locks.tryAcquire(file), undefined);
    assert.equal(await locks.isHeld(file), true);
    await lock?.release();
    assert.equal(await locks.isHeld(file), false);
    assert.deepEqual(await readdir(directory), []);
  });

  it('of a dead process is taken over at once', async (t) => {
    const { locks, directory, file, leave } = await bench(t);
    await leave('dead');
    assert.equal(await locks.isHeld(file), false);
    const taken = await Promise.all(Array.from({ length: 10 }, () => locks.tryAcquire(file)));
    assert.equal(taken.filter((lock) => lock !== undefined).length, 1);
    assert.deepEqual(await readdir(directory), ['lock']);
  });

  it('of a process that certainly lives is never taken over, where none shows that it does', async (t) => {
    const { locks, file, pass, leave } = await bench(t);
    await leave('alive', 24 * 3_600_000);
    for (let i = 0; i < 3; i += 1) {
      assert.equal(await locks.tryAcquire(file), undefined);
      pass(silenceMs);
    }
  });

  for (const [what, text, ageMs, rules] of [
    ['may live elsewhere and is old', 'unknown', 60_000, {}],
    ['may live elsewhere and is from the future', 'unknown', -60_000, {}],
    ['names nobody', '', 0, {}],
    ['lives and shows it no more', 'alive', 60_000, { heartbeatMs: 1_000 }],
  ] as const) {
    it(`that ${what} is watched first`, async (t) => {
      const { locks, file, pass, leave } = await bench(t, rules);
      await leave(text, ageMs);
      assert.equal(await locks.tryAcquire(file), undefined);
      pass(watchMs - 1);
      assert.equal(await locks.tryAcquire(file), undefined);
      pass(1);
      assert.ok(await locks.tryAcquire(file));
    });
  }

  it('that may live elsewhere and is young is given time', async (t) => {
    const { locks, file, pass, leave } = await bench(t);
    await leave('unknown');
    assert.equal(await locks.tryAcquire(file), undefined);
    pass(silenceMs - 1);
    assert.equal(await locks.tryAcquire(file), undefined);
    pass(1);
    assert.ok(await locks.tryAcquire(file));
  });

  it('that moves is left to its holder, whatever the clock of its host says', async (t) => {
    const { locks, file, pass, leave } = await bench(t);
    for (let beat = 0; beat < 10; beat += 1) {
      await leave('unknown', 3_600_000 - beat * 1_000);
      assert.equal(await locks.tryAcquire(file), undefined);
      pass(watchMs - 1);
      assert.equal(await locks.tryAcquire(file), undefined);
    }
  });

  it('is looked at for long enough by one who asks once', async (t) => {
    let nowMs = 0;
    const tick = (): number => {
      nowMs += watchMs / 5;
      return nowMs;
    };
    const { locks, file, leave } = await bench(t, { nowMs: tick });
    await leave('unknown', 60_000);
    assert.equal(await locks.isHeld(file), false);
    const moving = await bench(t, {
      judge() {
        // This runs after the lock's age was read for the first time.
        utimesSync(moving.file, new Date(0), new Date(0));
        return 'unknown';
      },
    });
    await moving.leave('unknown', 60_000);
    assert.equal(await moving.locks.isHeld(moving.file), true);
  });

  it('of a dead process is removed by one process at a time, and by the next if that one dies too', async (t) => {
    const { locks, directory, file, leave } = await bench(t);
    await leave('dead');
    const removal = evictionOf(file, { text: 'dead', modifiedMs: 0, mark: '' });
    await writeFile(removal, 'alive');
    assert.equal(await locks.tryAcquire(file), undefined);
    assert.equal(await readFile(file, 'utf8'), 'dead');
    await writeFile(removal, 'dead');
    const taken = await Promise.all(Array.from({ length: 10 }, () => locks.tryAcquire(file)));
    assert.equal(taken.filter((lock) => lock !== undefined).length, 1);
    assert.deepEqual(await readdir(directory), ['lock']);
  });

  it('is left to the process that was faster to remove a dead one', async (t) => {
    let [waiting, resume] = [true, () => {}];
    const resumed = new Promise<void>((resolve) => {
      resume = resolve;
    });
    const place = await bench(t, {
      async within(file, create) {
        if (file !== place.file && waiting) {
          waiting = false;
          await resumed;
        }
        return await create();
      },
    });
    const { locks, file, leave } = place;
    await leave('dead');
    const slow = locks.tryAcquire(file);
    while (waiting) await new Promise(setImmediate);
    const fast = await locks.tryAcquire(file);
    resume();
    assert.equal(await slow, undefined);
    assert.equal(await fast?.check(), true);
  });

  it('that another took while its last holder was found dead is not touched', async (t) => {
    let [file, changedMs] = ['', 0];
    const place = await bench(t, {
      judge() {
        unlinkSync(file);
        writeFileSync(file, 'another');
        changedMs = statSync(file).ctimeMs;
        return 'dead';
      },
    });
    ({ file } = place);
    await place.leave('dead');
    assert.equal(await place.locks.tryAcquire(file), undefined);
    assert.equal(statSync(file).ctimeMs, changedMs, 'it was moved');
    assert.equal(await readFile(file, 'utf8'), 'another');
  });

  it('that was taken over is noticed by its holder, and left alone', async (t) => {
    const { locks, file, leave } = await bench(t);
    const lock = await locks.tryAcquire(file);
    await leave('unknown');
    assert.equal(await lock?.check(), false);
    await lock?.release();
    assert.equal(await readFile(file, 'utf8'), 'unknown');
  });

  it('is waited for as long as patience and the signal last', async (t) => {
    const { locks, file, leave } = await bench(t, { nowMs: () => performance.now() });
    await leave('alive');
    assert.equal(await locks.acquire(file, { patienceMs: 30, pollMs: 5 }), undefined);
    const reason = new Error('waited enough');
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 30);
    const waiting = locks.acquire(file, { patienceMs: 60_000, pollMs: 5, signal: stop.signal });
    await assert.rejects(waiting, (error) => error === reason);
    const next = locks.acquire(file, { patienceMs: 60_000, pollMs: 5 });
    unlinkSync(file);
    assert.equal(await (await next)?.check(), true);
  });

  it('is not read unless it is a regular file', { skip: process.platform === 'win32', timeout: 10_000 }, async (t) => {
    const { locks, directory } = await bench(t);
    const [pipe, folder] = [join(directory, 'pipe'), join(directory, 'folder')];
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    await mkdir(folder);
    for (const file of [pipe, folder]) {
      await assert.rejects(locks.tryAcquire(file), failsWith('STORAGE_DAMAGED'));
      await assert.rejects(locks.isHeld(file), failsWith('STORAGE_DAMAGED'));
    }
  });
});
