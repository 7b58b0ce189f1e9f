import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Driver, FileReader, StorePath } from '../../../src/storage/driver.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createMemoryDriver } from '../../../src/storage/drivers/memory.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import { failsWith, text } from '../stores.ts';

const drivers: readonly (readonly [string, (t: TestContext) => Promise<Driver>])[] = [
  ['filesystem', async (t) => openFilesystemDriver({ root: await temporaryDirectory(t) })],
  ['memory', async () => createMemoryDriver()],
];

// Only paths.ts makes these in the program.
const at = (path: string): StorePath => path as StorePath;

for (const [name, open] of drivers) {
  describe(`the ${name} driver`, () => {
    it('keeps small files whole and replaces them', async (t) => {
      const driver = await open(t);
      assert.equal(await driver.readSmall(at('a/b/c'), 10), undefined);
      await driver.writeSmall(at('a/b/c'), text('first'));
      await driver.writeSmall(at('a/b/c'), text('second'));
      assert.deepEqual(await driver.readSmall(at('a/b/c'), 10), text('second'));
      await assert.rejects(driver.readSmall(at('a/b/c'), 5), failsWith('TOO_LARGE'));
    });

    it('reads ranges, and a file to the end of what it was when opened', async (t) => {
      const driver = await open(t);
      await driver.writeSmall(at('f'), text('0123456789'));
      assert.equal(await driver.openRead(at('g')), undefined);
      const ranges = [
        [undefined, '0123456789'],
        [{ start: 3 }, '3456789'],
        [{ start: 3, end: 5 }, '34'],
        [{ start: 8, end: 99 }, '89'],
        [{ start: 10 }, ''],
      ] as const;
      for (const [range, expected] of ranges) {
        const file = await driver.openRead(at('f'), range);
        assert.equal(file?.size, 10);
        assert.equal(await readAll(file), expected);
      }
    });

    it('keeps a file readable that is removed while it is open', async (t) => {
      const driver = await open(t);
      await driver.writeSmall(at('f'), text('0123456789'));
      const file = await driver.openRead(at('f'));
      assert.equal(await driver.remove(at('f')), true);
      assert.equal(await driver.remove(at('f')), false);
      assert.ok(file);
      assert.equal(await readAll(file), '0123456789');
    });

    it('appends, over several openings', async (t) => {
      const driver = await open(t);
      for (const [before, word] of [
        [0, 'one'],
        [3, 'two'],
        [6, 'three'],
      ] as const) {
        const file = await driver.openAppend(at('up/data'));
        assert.equal(file.size, before);
        const chunk = text(word);
        await file.write(chunk);
        chunk.fill(0);
        assert.equal(file.size, before + word.length);
        await file.sync();
        await file.close();
        await file.close();
      }
      assert.deepEqual(await driver.readSmall(at('up/data'), 100), text('onetwothree'));
    });

    it('lists by code unit, and nothing for what is not there', async (t) => {
      const driver = await open(t);
      for (const path of ['d/b/x', 'd/B', 'd/a-b', 'd/a', 'd/a.b', 'd/ä']) await driver.writeSmall(at(path), text('x'));
      assert.deepEqual(await driver.list(at('d')), [
        { name: 'B', kind: 'file' },
        { name: 'a', kind: 'file' },
        { name: 'a-b', kind: 'file' },
        { name: 'a.b', kind: 'file' },
        { name: 'b', kind: 'directory' },
        { name: 'ä', kind: 'file' },
      ]);
      assert.deepEqual(await driver.list(at('nowhere')), []);
      assert.equal(await driver.stat(at('d')), undefined);
    });

    it('moves a file over another, and says when there is none', async (t) => {
      const driver = await open(t);
      await driver.writeSmall(at('a'), text('new'));
      await driver.writeSmall(at('x/y/b'), text('old'));
      assert.equal(await driver.move(at('a'), at('x/y/b')), true);
      assert.deepEqual(await driver.readSmall(at('x/y/b'), 9), text('new'));
      assert.equal(await driver.move(at('a'), at('elsewhere/b')), false);
      assert.equal(await driver.move(at('x/y/b'), at('fresh/place/b'), { durable: true }), true);
      assert.equal(await driver.stat(at('x/y/b')), undefined);
    });

    it('removes trees, and directories only when they are empty', async (t) => {
      const driver = await open(t);
      await driver.writeSmall(at('t/a/f'), text('x'));
      assert.equal(await driver.removeEmptyDirectory(at('t/a')), false);
      await driver.remove(at('t/a/f'));
      assert.deepEqual(await driver.list(at('t')), [{ name: 'a', kind: 'directory' }]);
      assert.equal(await driver.removeEmptyDirectory(at('t/a')), true);
      await driver.writeSmall(at('t/b/c/f'), text('x'));
      await driver.removeTree(at('t'));
      await driver.removeTree(at('t'));
      assert.deepEqual(await driver.list(at('t')), []);
    });

    it('touches what is there', async (t) => {
      const driver = await open(t);
      const then = new Date('2020-02-02T02:02:02.123Z');
      assert.equal(await driver.touch(at('f'), then), false);
      await driver.writeSmall(at('f'), text('x'));
      assert.equal(await driver.touch(at('f'), then), true);
      assert.deepEqual(await driver.stat(at('f')), { size: 1, modifiedAt: then });
    });

    it('gives a lock to one at a time', async (t) => {
      const { locks } = await open(t);
      assert.ok(locks);
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
  });
}

async function readAll(file: FileReader): Promise<string> {
  const into = new Uint8Array(4);
  let content = '';
  for (let size = await file.read(into); size > 0; size = await file.read(into)) {
    content += Buffer.from(into.subarray(0, size)).toString();
  }
  await file.close();
  await file.close();
  return content;
}
