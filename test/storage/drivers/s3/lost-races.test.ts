import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestBytes } from '../../../../src/model/digest.ts';
import { createStorage } from '../../../../src/storage/storage.ts';
import type { Answer } from '../../../support/fake-server.ts';
import { failsWith, repo, text } from '../../stores.ts';
import { at } from '../every-driver.ts';
import { fault, object, openFake } from './s3-fake.ts';

const id = '0c3b1c5e-7f0e-4a86-9d55-4d4a2a4c6f10';
const session = `team/docker/registry/v2/repositories/${repo}/_uploads/${id}`;

/** A page of keys, all of them objects. */
function listOf(keys: readonly string[]): string {
  const contents = keys.map(
    (key) => `<Contents><Key>${key}</Key><Size>1</Size><LastModified>2026-11-30T12:00:00Z</LastModified></Contents>`,
  );
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`;
}

/** A bucket that lists these keys once, in which nothing is by then. */
function emptied(keys: readonly string[]): Answer {
  let listed = false;
  return ({ method, query }, response) => {
    if (query.has('list-type')) {
      response.writeHead(200, { 'content-type': 'application/xml' }).end(listOf(listed ? [] : keys));
      listed = true;
    } else if (method === 'HEAD') response.writeHead(404).end();
    else if (method === 'GET') fault(response, 404, 'NoSuchKey');
    else response.writeHead(200, { etag: '"1"' }).end(query.has('delete') ? '<DeleteResult/>' : '');
  };
}

describe('a session in a bucket that another process completes meanwhile', () => {
  const digest = digestBytes(text('what the client has sent'));

  it('is not there any more if its state cannot be read', async (t) => {
    const { driver } = await openFake(t, emptied([`${session}/data.parts/999998`, `${session}/startedat`]));
    const registry = createStorage({ driver });
    const unknown = failsWith('BLOB_UPLOAD_UNKNOWN');
    await assert.rejects(registry.resumeUpload(repo, id, { digest: await digest }), unknown);
  });

  it('is not there any more if its bytes are gone when they are hashed', async (t) => {
    const { driver } = await openFake(t, emptied([`${session}/startedat`]));
    const writer = await createStorage({ driver }).resumeUpload(repo, id, { digest: await digest });
    await assert.rejects(writer.commit({ digest: await digest }), failsWith('BLOB_UPLOAD_UNKNOWN'));
  });
});

describe('a bucket that is gone', () => {
  const gone: Answer = ({ method }, response) => {
    if (method === 'HEAD') response.writeHead(404).end();
    else fault(response, 404, 'NoSuchBucket');
  };
  const isTold = failsWith('STORAGE', ({ message }) => assert.match(message, /there is no such bucket/));

  it('is an error for every operation, also those whose answer has no body', async (t) => {
    const { driver } = await openFake(t, gone);
    const [path, to] = [at('docker/a'), at('docker/b')];
    await assert.rejects(Promise.all([driver.stat(path), driver.stat(to)]), isTold);
    await assert.rejects(driver.get(path, 9), isTold);
    await assert.rejects(driver.copy(path, to), isTold);
    await assert.rejects(driver.delete(path), isTold);
    await assert.rejects(driver.deleteIf(path, text('x')), isTold);
    await assert.rejects(driver.list(at('docker')), isTold);
    await assert.rejects(driver.uploads.find(path), isTold);
    await assert.rejects(async () => driver.check?.(), isTold);
  });

  it('is noticed by a copy in the bucket', async (t) => {
    const { driver } = await openFake(t, ({ method }, response) => {
      if (method === 'HEAD') object(response, 'x');
      else fault(response, 404, 'NoSuchBucket');
    });
    await assert.rejects(driver.copy(at('docker/a'), at('docker/b')), isTold);
  });

  it('is asked for once, while it was there shortly before', async (t) => {
    const { driver, server } = await openFake(t, ({ method, query }, response) => {
      if (method === 'HEAD') response.writeHead(404).end();
      else if (query.has('list-type')) response.writeHead(200).end(listOf([]));
    });
    assert.deepEqual(await Promise.all([driver.stat(at('a')), driver.stat(at('b'))]), [undefined, undefined]);
    assert.equal(await driver.stat(at('c')), undefined);
    assert.deepEqual(server.requests.map(({ method }) => method).sort(), ['GET', 'HEAD', 'HEAD', 'HEAD']);
  });
});
