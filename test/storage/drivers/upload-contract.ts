import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import type { Driver, Upload } from '../../../src/storage/driver.ts';
import { all, failsWith, text } from '../stores.ts';
import { at, readAll, textOf } from './every-driver.ts';

export interface UploadTraits {
  readonly name: string;
  open(t: TestContext): Promise<Driver>;
  /** Whether others see an upload while it is held. Otherwise they see what it was when it last rested. */
  readonly seesHeld: boolean;
}

/** What every driver's uploads do. */
export function uploadContract({ name, open, seesHeld }: UploadTraits): void {
  describe(`the uploads of the ${name} driver`, () => {
    const path = at('up/one');

    it('become objects at commit, and not before', async (t) => {
      const driver = await open(t);
      const upload = await driver.uploads.begin(path, { to: at('o/data') });
      const chunk = text('one');
      await upload.write(chunk);
      chunk.fill(0);
      await upload.write(text('two'));
      assert.equal(upload.size, 6);
      assert.equal(await readAll(await upload.read()), 'onetwo');
      assert.equal(await driver.stat(at('o/data')), undefined);
      await driver.put(at('o/data'), text('replaced'));
      await upload.commit(at('o/data'));
      assert.equal(await textOf(driver, 'o/data'), 'onetwo');
      await upload.abort();
      await upload.rest();
      assert.equal(await driver.uploads.find(path), undefined);
      assert.equal(await textOf(driver, 'o/data'), 'onetwo');
    });

    it('store nothing before the first byte, and may stay empty', async (t) => {
      const driver = await open(t);
      const [rested, empty] = [await driver.uploads.begin(path), await driver.uploads.begin(path)];
      assert.equal(await driver.uploads.find(path), undefined);
      await rested.rest();
      assert.equal(await driver.uploads.resume(path), undefined);
      await empty.commit(at('o/empty'));
      assert.equal((await driver.stat(at('o/empty')))?.size, 0);
      assert.deepEqual(await all(driver.uploads.list(at('up'))), []);
    });

    it('are resumed where they rest, over and over', async (t) => {
      const driver = await open(t);
      await written(driver, 'one').then((upload) => upload.rest());
      for (const [size, word] of [
        [3, 'two'],
        [6, 'three'],
      ] as const) {
        assert.deepEqual(await found(driver), { size, held: false });
        const upload = await driver.uploads.resume(path);
        assert.equal(upload?.size, size);
        await upload.write(text(word));
        await upload.rest();
        await upload.rest();
      }
      const last = await driver.uploads.resume(path);
      await last?.commit(at('o/data'));
      assert.equal(await textOf(driver, 'o/data'), 'onetwothree');
      assert.equal(await found(driver), undefined);
    });

    it('are copied from a holder that lives, who goes on with his own', async (t) => {
      const driver = await open(t);
      const theirs = await written(driver, 'one');
      if (!seesHeld) return assert.equal(await found(driver), undefined);
      assert.deepEqual(await found(driver), { size: 3, held: true });
      const ours = await driver.uploads.resume(path);
      assert.equal(ours?.size, 3);
      await ours.write(text('ours'));
      await theirs.write(text('theirs'));
      await theirs.commit(at('o/theirs'));
      await ours.commit(at('o/ours'));
      assert.equal(await textOf(driver, 'o/theirs'), 'onetheirs');
      assert.equal(await textOf(driver, 'o/ours'), 'oneours');
    });

    it('become what each of two holders wrote, who went on from the same bytes', async (t) => {
      const driver = await open(t);
      await written(driver, 'one').then((upload) => upload.rest());
      const [ours, theirs] = [await driver.uploads.resume(path), await driver.uploads.resume(path)];
      await ours?.write(text('ours'));
      await theirs?.write(text('theirs'));
      await ours?.commit(at('o/ours'));
      await theirs?.commit(at('o/theirs'));
      assert.equal(await textOf(driver, 'o/ours'), 'oneours');
      assert.equal(await textOf(driver, 'o/theirs'), 'onetheirs');
    });

    it('have the digest that they were given when they rested, until they change', async (t) => {
      const driver = await open(t);
      const digest = await digestBytes(text('one'));
      await written(driver, 'one').then((upload) => upload.rest({ digest }));
      const unchanged = await driver.uploads.resume(path);
      assert.equal(unchanged?.digest, digest);
      await unchanged.rest({ digest });
      const upload = await driver.uploads.resume(path);
      assert.equal(upload?.digest, digest);
      await upload.write(text('two'));
      assert.equal(upload.digest, undefined);
      await upload.rest();
      assert.equal((await driver.uploads.resume(path))?.digest, undefined);
    });

    it('are dropped when they are too long, and resumed from the next that is not', async (t) => {
      const driver = await open(t);
      await written(driver, 'too long').then((upload) => upload.rest());
      assert.equal(await driver.uploads.resume(path, { maxBytes: 5 }), undefined);
      assert.equal(await found(driver), undefined);
    });

    it('are listed, and can be aborted while another process holds them', async (t) => {
      const driver = await open(t);
      await written(driver, 'rests', at('up/a/rests')).then((upload) => upload.rest());
      const held = await written(driver, 'held', at('up/b/held'));
      if (!seesHeld) await held.abort();
      const listed = (await all(driver.uploads.list(at('up')))).map((entry) => [entry.path, entry.size, entry.held]);
      assert.deepEqual(listed.sort(), [['up/a/rests', 5, false], ...(seesHeld ? [['up/b/held', 4, true]] : [])]);
      for (const target of ['up/a/rests', 'up/b/held', 'up/none']) await driver.uploads.abort(at(target));
      assert.deepEqual(await all(driver.uploads.list(at('up'))), []);
      if (!seesHeld) return;
      await assert.rejects(held.commit(at('o/held')), failsWith('STORAGE'));
      assert.equal(await driver.stat(at('o/held')), undefined);
      await held.abort();
    });

    it('do not become objects in part when they are aborted between two writes', async (t) => {
      const driver = await open(t);
      await written(driver, 'one').then((upload) => upload.rest());
      const upload = await driver.uploads.resume(path);
      await driver.uploads.abort(path);
      const finish = async (): Promise<void> => {
        await upload?.write(text('two'));
        await upload?.commit(at('o/data'));
      };
      if (seesHeld) await assert.rejects(finish, failsWith('STORAGE'));
      else await finish();
      const whole = seesHeld ? undefined : 'onetwo';
      assert.equal(await textOf(driver, 'o/data'), whole);
    });
  });
}

async function written(driver: Driver, content: string, path = at('up/one')): Promise<Upload> {
  const upload = await driver.uploads.begin(path);
  await upload.write(text(content));
  return upload;
}

async function found(driver: Driver): Promise<{ size: number; held: boolean } | undefined> {
  const facts = await driver.uploads.find(at('up/one'));
  return facts && { size: facts.size, held: facts.held };
}
