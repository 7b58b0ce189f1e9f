import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Driver, StorePath } from '../../../src/storage/driver.ts';
import { deleteBelow } from '../../../src/storage/listing.ts';
import { failsWith, text } from '../stores.ts';
import { at, list, readAll, textOf } from './every-driver.ts';

export interface ObjectTraits {
  readonly name: string;
  open(t: TestContext): Promise<Driver>;
  /** Times of objects, in milliseconds. Default 1. */
  readonly clockMs?: number;
  /** Whether of several that delete one object at once, one learns that it was the one. Default true. */
  readonly tellsDeleter?: boolean;
  /** Whether an object may be put where a prefix vanishes. Default true: prefixes are no things. */
  readonly freesPrefixes?: boolean;
  /** Whether an object hides what may belong below it, and a prefix an object, so that neither is told to be absent. Default false. */
  readonly hides?: boolean;
}

/** What every driver's objects do. */
export function objectContract(traits: ObjectTraits): void {
  const { name, open, clockMs = 1, freesPrefixes = true, tellsDeleter = true, hides = false } = traits;
  describe(`the objects of the ${name} driver`, () => {
    it('are kept whole and replaced', async (t) => {
      const driver = await open(t);
      assert.equal(await driver.get(at('a/b/c'), 10), undefined);
      await driver.put(at('a/b/c'), text('first'));
      const bytes = text('second');
      await driver.put(at('a/b/c'), bytes, { durable: false });
      bytes.fill(0);
      assert.equal(await textOf(driver, 'a/b/c'), 'second');
      await assert.rejects(driver.get(at('a/b/c'), 5), failsWith('TOO_LARGE'));
    });

    it(`are ${hides ? 'hidden' : 'absent'} where there is a prefix, and below another`, async (t) => {
      const driver = await open(t);
      await driver.put(at('a/b'), text('x'));
      const absent = async <T>(path: string, result: Promise<T>, isHidden: boolean, value: T): Promise<void> => {
        if (hides && isHidden) await assert.rejects(result, failsWith('STORAGE_DAMAGED'), path);
        else assert.deepEqual(await result, value, path);
      };
      for (const path of ['a', 'a/b/c', 'a/b/c/d', 'a/bb', 'b']) {
        const [isPrefix, isBelow] = [path === 'a', path.startsWith('a/b/')];
        await absent(path, driver.get(at(path), 10), isPrefix || isBelow, undefined);
        await absent(path, driver.open(at(path)), isPrefix || isBelow, undefined);
        await absent(path, driver.stat(at(path)), isBelow, undefined);
        await absent(path, driver.copy(at(path), at('copied')), isBelow, false);
        await absent(path, driver.delete(at(path)), isBelow, false);
        await absent(path, list(driver, path), isBelow, isPrefix ? [{ name: 'b', kind: 'object' }] : []);
      }
      await absent('a/b', list(driver, 'a/b'), true, []);
    });

    it('exist for a list of paths as they do one by one', async (t) => {
      const driver = await open(t);
      const oneByOne = async (paths: readonly StorePath[]): Promise<readonly boolean[]> => {
        return Promise.all(paths.map(async (path) => (await driver.stat(path)) !== undefined));
      };
      const exist = driver.exist?.bind(driver) ?? oneByOne;
      const names = Array.from({ length: 450 }, (_, i) => `many/${i}/link`);
      for (const name of names.filter((_, i) => i % 3 === 0)) await driver.put(at(name), text('x'));
      const paths = [
        ...names,
        'many',
        'many/0',
        ...(hides ? [] : ['many/0/link/below']),
        'nowhere',
        'many/3/other',
      ].map(at);
      const expected = [];
      for (const path of paths) expected.push((await driver.stat(path)) !== undefined);
      assert.deepEqual(await exist(paths), expected);
      await driver.delete(at('many/3/link'));
      assert.deepEqual(await exist([at('many/3/link'), at('many/6/link')]), [false, true]);
      assert.deepEqual(await exist([]), []);
    });

    it('are read in ranges, up to their size when opened', async (t) => {
      const driver = await open(t);
      await driver.put(at('f'), text('0123456789'));
      const ranges = [
        [undefined, '0123456789'],
        [{ start: 3 }, '3456789'],
        [{ start: 3, end: 5 }, '34'],
        [{ start: 8, end: 99 }, '89'],
        [{ start: 10 }, ''],
      ] as const;
      for (const [range, expected] of ranges) {
        const object = await driver.open(at('f'), range);
        assert.equal(object?.size, 10);
        assert.equal(await readAll(object), expected);
      }
    });

    it('stay readable when they are replaced or deleted while they are open', async (t) => {
      const driver = await open(t);
      await driver.put(at('f'), text('0123456789'));
      const [first, second] = [await driver.open(at('f')), await driver.open(at('f'))];
      assert.ok(first && second);
      await driver.put(at('f'), text('x'));
      assert.equal(await readAll(first), '0123456789');
      assert.equal(await driver.delete(at('f')), true);
      assert.equal(await driver.delete(at('f')), false);
      assert.equal(await readAll(second), '0123456789');
    });

    it('are created by exactly one of many writers', async (t) => {
      const driver = await open(t);
      const words = Array.from({ length: 20 }, (_, i) => `word ${i}`);
      const put = await Promise.all(words.map((word) => driver.putIfAbsent(at('d/one'), text(word))));
      assert.deepEqual([put.filter(Boolean).length, put.length], [1, 20]);
      assert.equal(await textOf(driver, 'd/one'), words[put.indexOf(true)] ?? '');
      await driver.delete(at('d/one'));
      assert.equal(await driver.putIfAbsent(at('d/one'), text('again')), true);
      assert.deepEqual(await list(driver, 'd'), [{ name: 'one', kind: 'object' }]);
    });

    it('are listed in the order of keys, page by page, from any point on', async (t) => {
      const driver = await open(t);
      for (const path of ['d/b/x', 'd/b/y/z', 'd/B', 'd/a-b', 'd/a.b', 'd/a/x', 'd/ab', 'e']) {
        await driver.put(at(path), text('x'));
      }
      const keys = ['B', 'a-b', 'a.b', 'a/', 'ab', 'b/'];
      const deep = ['B', 'a-b', 'a.b', 'a/x', 'ab', 'b/x', 'b/y/z'];
      const keyed = async (opts?: Parameters<Driver['list']>[1]): Promise<string[]> => {
        const { entries } = await driver.list(at('d'), opts);
        return entries.map((entry) => (entry.kind === 'prefix' ? `${entry.name}/` : entry.name));
      };
      assert.deepEqual(await keyed(), keys);
      assert.deepEqual(await keyed({ deep: true }), deep);
      for (const after of ['', 'A', 'B', 'a', 'a-b', 'a/', 'a/x', 'b', 'b/', 'b/x', 'b/y', 'z']) {
        const [rest, deepRest] = [keys.filter((key) => key > after), deep.filter((key) => key > after)];
        assert.deepEqual(await keyed({ after }), rest, after);
        assert.deepEqual(await keyed({ after, limit: 2 }), rest.slice(0, 2), after);
        assert.deepEqual(await keyed({ after, deep: true }), deepRest, after);
        assert.deepEqual(await keyed({ after, deep: true, limit: 2 }), deepRest.slice(0, 2), after);
      }
      const first = await driver.list(at('d'), { limit: 4 });
      assert.deepEqual(await keyed({ after: first.next }), keys.slice(4));
      assert.equal((await driver.list(at('d'), { after: first.next, limit: 2 })).next, undefined);
      assert.deepEqual(await list(driver, 'nowhere'), []);
    });

    it('are deleted only while they hold the expected bytes', async (t) => {
      const driver = await open(t);
      assert.equal(await driver.deleteIf(at('a/b/c'), text('one')), false);
      await driver.put(at('a/b/c'), text('two'));
      for (const bytes of ['one', 'tw', 'twoo', ''])
        assert.equal(await driver.deleteIf(at('a/b/c'), text(bytes)), false);
      assert.equal(await driver.deleteIf(at('a/b'), text('two')), false);
      assert.equal(await textOf(driver, 'a/b/c'), 'two');
      assert.equal(await driver.deleteIf(at('a/b/c'), text('two')), true);
      assert.deepEqual(await list(driver, 'a'), []);
      await driver.put(at('empty'), text(''));
      assert.equal(await driver.deleteIf(at('empty'), text('')), true);
    });

    it('stay, if others have been put there meanwhile, however many delete them', async (t) => {
      const driver = await open(t);
      for (let round = 0; round < 60; round += 1) {
        await driver.put(at('t/link'), text('old'), { durable: false });
        const deleting = Array.from({ length: 4 }, () => driver.deleteIf(at('t/link'), text('old')));
        const [, ...deleted] = await Promise.all([
          driver.put(at('t/link'), text('new'), { durable: false }),
          ...deleting,
        ]);
        if (tellsDeleter) assert.ok(deleted.filter(Boolean).length <= 1);
        assert.equal(await textOf(driver, 't/link'), 'new', `round ${round}`);
        assert.deepEqual(await list(driver, 't'), [{ name: 'link', kind: 'object' }]);
      }
    });

    it('take their prefixes with them, and leave the others', async (t) => {
      const driver = await open(t);
      for (const path of ['t/a/b/c', 't/a/d', 'u']) await driver.put(at(path), text('x'));
      await driver.delete(at('t/a/b/c'));
      assert.deepEqual(await list(driver, 't/a'), [{ name: 'd', kind: 'object' }]);
      await driver.put(at('t/a/b/c/d'), text('x'));
      await deleteBelow(driver, at('t'));
      assert.deepEqual(await list(driver, 't'), []);
      assert.ok(await driver.stat(at('u')));
    });

    it('can be put where the last one of a prefix is just deleted', async (t) => {
      const driver = await open(t);
      await driver.put(at('p/q/r/first'), text('x'));
      const churn = async (i: number): Promise<void> => {
        for (let round = 0; round < 40; round += 1) {
          const path = at(`p/q/r/s${i % 2}/${i}`);
          await driver.put(path, text('x'), { durable: false });
          assert.equal(await driver.delete(path), true);
        }
      };
      if (freesPrefixes) await driver.delete(at('p/q/r/first'));
      await Promise.all(Array.from({ length: 8 }, (_, i) => churn(i)));
      if (!freesPrefixes) await driver.delete(at('p/q/r/first'));
      assert.deepEqual(await list(driver, 'p'), []);
    });

    it('tell their size and when they were stored, by one clock', async (t) => {
      const driver = await open(t);
      await driver.put(at('f'), text('1'));
      const first = await driver.stat(at('f'));
      await new Promise((resolve) => setTimeout(resolve, clockMs + 20));
      await driver.put(at('g'), text('22'));
      const second = await driver.stat(at('g'));
      assert.deepEqual([first?.size, second?.size], [1, 2]);
      assert.ok(first && second && first.storedAt < second.storedAt);
      await new Promise((resolve) => setTimeout(resolve, clockMs + 20));
      assert.equal(await driver.copy(at('f'), at('h/i')), true);
      assert.equal(await textOf(driver, 'h/i'), '1');
      assert.ok(((await driver.stat(at('h/i')))?.storedAt ?? 0) > second.storedAt);
      assert.ok(await driver.stat(at('f')));
    });
  });

  describe(`the ${name} driver`, () => {
    it('gives a lock to one at a time, where it has locks', async (t) => {
      const { locks } = await open(t);
      if (locks === undefined) return;
      const lock = await locks.tryAcquire(at('l/x.lock'));
      assert.ok(lock);
      assert.equal(await locks.tryAcquire(at('l/x.lock')), undefined);
      assert.equal(await locks.isHeld(at('l/x.lock')), true);
      assert.equal(await locks.isHeld(at('l/y.lock')), false);
      await lock.release();
      await lock.release();
      assert.equal(await locks.isHeld(at('l/x.lock')), false);
      await (await locks.tryAcquire(at('l/x.lock')))?.release();
    });

    it('shows every word of a journal at once, where it has journals', async (t) => {
      const driver = await open(t);
      if (driver.openJournal === undefined) return;
      const [kept, gone] = [await driver.openJournal(at('j/kept')), await driver.openJournal(at('j/gone'))];
      for (const journal of [kept, gone]) {
        await journal.write('one\n');
        await journal.write('two\n');
      }
      assert.equal(await textOf(driver, 'j/gone'), 'one\ntwo\n');
      await kept.close({ keep: true });
      await gone.close();
      await gone.close();
      assert.deepEqual(await list(driver, 'j'), [{ name: 'kept', kind: 'object' }]);
      await assert.rejects(driver.openJournal(at('j/kept')), failsWith('STORAGE'));
    });
  });
}
