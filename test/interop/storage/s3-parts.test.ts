import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { createHasher, digestBytes } from '../../../src/model/digest.ts';
import type { Driver, Upload } from '../../../src/storage/driver.ts';
import { at } from '../../storage/drivers/every-driver.ts';
import { all, failsWith, madeBytes, text } from '../../storage/stores.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { s3Drivers } from '../../support/programs/s3-drivers.ts';
import { needs } from '../../support/programs.ts';

const stores = s3Drivers();
const partBytes = 5 * 1024 * 1024;
const bytes = madeBytes('parts', 2 * partBytes + 1_234_567);
const [path, to] = [at('_uploads/one/data'), at('blobs/data')];

async function opened(t: TestContext): Promise<{ driver: Driver; proxy: FaultProxy } | undefined> {
  if (!needs(t, 'versitygw')) return undefined;
  const proxy = await startFaultProxy(t, (await stores.gateway()).url);
  return { driver: await stores.open({ url: proxy.url }), proxy };
}

async function write(upload: Upload | undefined, content: Uint8Array): Promise<Upload> {
  assert.ok(upload);
  for (let sent = 0; sent < content.length; sent += 1_000_000)
    await upload.write(content.subarray(sent, sent + 1_000_000));
  return upload;
}

async function assertStored(driver: Driver, expected: Uint8Array = bytes): Promise<void> {
  const stored = await driver.get(to, 2 * expected.length);
  assert.equal(stored && (await digestBytes(stored)), await digestBytes(expected));
}

const keysLeft = async (driver: Driver): Promise<string[]> => (await all(listed(driver))).filter((key) => key !== to);

async function* listed(driver: Driver): AsyncGenerator<string> {
  for (const prefix of ['_uploads', 'blobs']) {
    for (const { name } of (await driver.list(at(prefix), { deep: true })).entries) yield `${prefix}/${name}`;
  }
}

async function* none() {}

const requested = ({ requests }: FaultProxy): string[] =>
  requests.map(
    ({ method, path }) =>
      `${method} ${path.replace(/^\/[^/]+\/store-\d+\//, '').replace(/uploadId=[^&]+/, 'uploadId')}`,
  );

describe('an upload to a bucket', () => {
  it('of up to a part is one request', async (t) => {
    const { driver, proxy } = (await opened(t)) ?? {};
    if (!driver || !proxy) return;
    for (const size of [0, 1, partBytes]) {
      const upload = await write(await driver.uploads.begin(path), bytes.subarray(0, size));
      await upload.commit(to);
      assert.deepEqual(requested(proxy), ['PUT blobs/data']);
      proxy.requests.length = 0;
      await assertStored(driver, bytes.subarray(0, size));
      proxy.requests.length = 0;
    }
  });

  it('whose place is known goes there in equal parts, and is an object only when it is complete', async (t) => {
    const { driver, proxy } = (await opened(t)) ?? {};
    if (!driver || !proxy) return;
    const upload = await write(await driver.uploads.begin(path, { to }), bytes);
    assert.equal(await driver.stat(to), undefined);
    assert.deepEqual(
      proxy.requests.filter(({ method }) => method === 'PUT').map(({ receivedBytes }) => receivedBytes),
      [partBytes, partBytes],
    );
    await upload.commit(to);
    await assertStored(driver);
    assert.ok(!proxy.requests.some(({ headers }) => 'x-amz-copy-source' in headers));
    assert.deepEqual(await keysLeft(driver), []);
  });

  it('whose place is not known yet is copied there', async (t) => {
    const { driver } = (await opened(t)) ?? {};
    if (!driver) return;
    const upload = await write(await driver.uploads.begin(path), bytes);
    await upload.commit(to);
    await assertStored(driver);
    assert.deepEqual(await keysLeft(driver), []);
  });

  it('is copied there in parts if it is large, which one request of S3 cannot do above 5 GiB', async (t) => {
    if (!needs(t, 'versitygw')) return;
    const proxy = await startFaultProxy(t, (await stores.gateway()).url);
    const driver = await stores.open({ url: proxy.url, copyPartBytes: partBytes });
    const upload = await write(await driver.uploads.begin(path), bytes);
    await upload.commit(to);
    const copies = proxy.requests.filter(({ headers }) => 'x-amz-copy-source' in headers);
    assert.deepEqual(
      copies
        .map(({ headers, path: at }) => [/partNumber=(\d)/.exec(at)?.[1], headers['x-amz-copy-source-range']])
        .sort(),
      [
        ['1', `bytes=0-${partBytes - 1}`],
        ['2', `bytes=${partBytes}-${2 * partBytes - 1}`],
        ['3', `bytes=${2 * partBytes}-${bytes.length - 1}`],
      ],
    );
    await assertStored(driver);
    assert.deepEqual(await keysLeft(driver), []);
    // A copy of the driver is the same; one that the store refuses leaves no parts, and the object is not there.
    assert.equal(await driver.copy(to, at('blobs/copy')), true);
    assert.equal((await driver.stat(at('blobs/copy')))?.size, bytes.length);
    await driver.delete(at('blobs/copy'));
    proxy.fail({ path: /partNumber=3/, status: 403, body: '<Error><Code>AccessDenied</Code></Error>' });
    await assert.rejects(async () => driver.copy(to, at('blobs/copy')), failsWith('STORAGE_DENIED'));
    proxy.heal();
    assert.equal(await driver.stat(at('blobs/copy')), undefined);
    assert.deepEqual(await all(driver.uploads.left?.(at('blobs'), new Date(Date.now() + 60_000)) ?? none()), []);
  });

  it('goes on in other processes, wherever it rested', async (t) => {
    const { driver } = (await opened(t)) ?? {};
    if (!driver) return;
    const ends = [1, partBytes - 1, partBytes, partBytes + 1, 2 * partBytes, 2 * partBytes + 5, bytes.length];
    let start = 0;
    for (const end of ends) {
      const upload: Upload = (await driver.uploads.resume(path)) ?? (await driver.uploads.begin(path));
      assert.equal(upload.size, start);
      await (await write(upload, bytes.subarray(start, end))).rest();
      start = end;
    }
    await (await driver.uploads.resume(path))?.commit(to);
    await assertStored(driver);
    assert.deepEqual(await keysLeft(driver), []);
  });

  it('can be read before it is committed, and not be written any more', async (t) => {
    const { driver } = (await opened(t)) ?? {};
    if (!driver) return;
    await (await write(await driver.uploads.begin(path), bytes)).rest();
    const upload = await driver.uploads.resume(path);
    assert.equal(await digestOf(upload), await digestBytes(bytes));
    await assert.rejects(write(upload, text('more')), failsWith('STORAGE'));
    await upload?.rest();
    const again = await driver.uploads.resume(path);
    assert.equal(await digestOf(again), await digestBytes(bytes));
    await again?.commit(to);
    await assertStored(driver);
    assert.deepEqual(await keysLeft(driver), []);
  });

  it('is kept for the first of two holders, who rests; the other learns of it', async (t) => {
    const { driver } = (await opened(t)) ?? {};
    if (!driver) return;
    await (await write(await driver.uploads.begin(path), bytes.subarray(0, partBytes + 10))).rest();
    const [first, second] = [await driver.uploads.resume(path), await driver.uploads.resume(path)];
    await write(first, bytes.subarray(partBytes + 10));
    await write(second, madeBytes('other', partBytes));
    await first?.rest();
    await assert.rejects(async () => second?.rest(), failsWith('RANGE_INVALID'));
    const upload = await driver.uploads.resume(path);
    assert.equal(upload?.size, bytes.length);
    // The second has replaced a part meanwhile: the upload cannot become anything else than what was hashed.
    await assert.rejects(async () => upload.commit(to), failsWith('STORAGE'));
    assert.equal(await driver.stat(to), undefined);
  });

  it('is kept although the answer that said so was lost', async (t) => {
    const { driver, proxy } = (await opened(t)) ?? {};
    if (!driver || !proxy) return;
    proxy.fail({ losesAnswer: true, times: 1, method: 'PUT', path: /data\.parts/ });
    await (await write(await driver.uploads.begin(path), bytes)).rest();
    const upload = await driver.uploads.resume(path);
    assert.equal(upload?.size, bytes.length);
    proxy.fail({ losesAnswer: true, times: 1, method: 'POST', path: /uploadId=/ });
    await upload.commit(to);
    await assertStored(driver);
  });

  it('can be committed again by another process after one was killed between completion and copy', async (t) => {
    const { driver, proxy } = (await opened(t)) ?? {};
    if (!driver || !proxy) return;
    await (await write(await driver.uploads.begin(path), bytes)).rest();
    proxy.fail({ status: 403, method: 'PUT', path: /blobs\/data/, times: 1 });
    const killed = await driver.uploads.resume(path);
    await assert.rejects(async () => killed?.commit(to), failsWith('STORAGE_DENIED'));
    await (await driver.uploads.resume(path))?.commit(to);
    await assertStored(driver);
  });

  it('ends where another holder, who was refused later, has written over its parts', async (t) => {
    const { driver } = (await opened(t)) ?? {};
    if (!driver) return;
    const begun = at('_uploads/one/startedat');
    await driver.put(begun, text('now'));
    const session = async () => await (await driver.uploads.session?.(path, begun))?.open({});
    await (await write(await session(), bytes)).rest();
    const [first, second] = [await session(), await session()];
    await (await write(first, bytes)).rest();
    await assert.rejects(async () => (await write(second, bytes.toReversed())).rest(), failsWith('RANGE_INVALID'));
    const winner = await session();
    assert.equal(winner?.size, 2 * bytes.length);
    await assert.rejects(async () => winner?.commit(to), failsWith('STORAGE'));
    assert.equal(await driver.uploads.session?.(path, begun), undefined);
    assert.deepEqual(await keysLeft(driver), []);
  });

  it('rides out a store that asks to come later', async (t) => {
    const { driver, proxy } = (await opened(t)) ?? {};
    if (!driver || !proxy) return;
    const slowDown = { status: 503, body: '<Error><Code>SlowDown</Code></Error>', times: 2 };
    for (const path of [/uploads/, /partNumber=1/, /uploadId=/]) proxy.fail({ ...slowDown, path });
    proxy.fail({ cutAfterBytes: 0, path: /partNumber=2/, times: 1 });
    proxy.fail({ status: 500, method: 'POST', path: /uploadId=/, times: 1 });
    await (await write(await driver.uploads.begin(path), bytes)).commit(to);
    await assertStored(driver);
  });

  it('leaves parts behind when its process is killed, which are found without objects beside them', async (t) => {
    const { driver } = (await opened(t)) ?? {};
    if (!driver) return;
    await write(await driver.uploads.begin(path, { to }), bytes);
    await write(await driver.uploads.begin(path), bytes);
    const left = async (before: Date) => await all(driver.uploads.left?.(at('blobs'), before) ?? nothing());
    assert.deepEqual(await left(new Date(Date.now() - 3_600_000)), []);
    for (const { remove } of await left(new Date(Date.now() + 3_600_000))) await remove();
    assert.deepEqual(await left(new Date(Date.now() + 3_600_000)), []);
    await driver.uploads.abort(path);
    assert.deepEqual(
      await all(driver.uploads.left?.(at('_uploads'), new Date(Date.now() + 3_600_000)) ?? nothing()),
      [],
    );
  });
});

async function* nothing(): AsyncGenerator<never> {}

async function digestOf(upload: Upload | undefined): Promise<string | undefined> {
  const reader = await upload?.read();
  if (reader === undefined) return undefined;
  const hasher = await createHasher();
  const into = new Uint8Array(100_000);
  for (let size = await reader.read(into); size > 0; size = await reader.read(into))
    hasher.update(into.subarray(0, size));
  await reader.close();
  return hasher.digest();
}
