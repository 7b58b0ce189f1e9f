import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { startFakeServer } from '../../../support/fake-server.ts';
import { all, failsWith, text } from '../../stores.ts';
import { at, readAll } from '../every-driver.ts';
import { object, openFake } from './s3-fake.ts';

const path = at('docker/registry/v2/a');
const upload = at('_uploads/one/data');
const sessionToken = 'FwoGZXIvYXdzEBY';

const xml = (response: ServerResponse, document: string): void => {
  response.writeHead(200, { 'content-type': 'application/xml' }).end(document);
};

const listed = (key: string, more: boolean): string =>
  `<ListBucketResult><IsTruncated>${more}</IsTruncated><Contents><Key>team/${key}</Key><Size>1</Size>` +
  '<LastModified>2026-11-30T12:00:00Z</LastModified></Contents></ListBucketResult>';

describe('a redirect by a store on S3', () => {
  for (const status of [301, 302, 307, 308]) {
    it(`with ${status} is not followed: the other host gets no session token, and gives no bytes`, async (t) => {
      const other = await startFakeServer(t, (_, response) => object(response, 'of another host'));
      const keys = async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken });
      const { driver } = await openFake(
        t,
        (_, response) => void response.writeHead(status, { location: `${other.url}/a` }).end(),
        { keys },
      );
      const isTold = failsWith('STORAGE', ({ message }) => assert.match(message, new RegExp(`answers ${status}`)));
      await assert.rejects(driver.get(path, 99), isTold);
      await assert.rejects(driver.stat(path), isTold);
      await assert.rejects(driver.list(at('docker')), isTold);
      assert.deepEqual(other.requests, []);
    });
  }
});

describe('a store on S3 that does not do what it was asked', () => {
  it('gives the whole object for a range: none of its bytes is taken', async (t) => {
    const { driver } = await openFake(t, (_, response) => object(response, '0123456789'));
    await assert.rejects(
      driver.open(path, { start: 4 }),
      failsWith('STORAGE', ({ message }) => assert.match(message, /other bytes than those that were asked for/)),
    );
    const reader = await driver.open(path, { start: 0, end: 4 });
    assert.equal(reader && (await readAll(reader)), '0123');
  });

  it('answers a PUT with a page: nothing counts as written', async (t) => {
    const { driver } = await openFake(t, (_, response) => void response.writeHead(200).end('<html>Welcome</html>'));
    const isTold = failsWith('STORAGE', ({ hint }) => assert.match(hint ?? '', /no web page/));
    await assert.rejects(driver.put(path, text('x')), isTold);
    await assert.rejects(driver.putIfAbsent(path, text('x')), isTold);
  });

  it('gives a document of countless elements: it is not parsed, since that would take a hundred times its size', async (t) => {
    const { driver } = await openFake(t, (_, response) => {
      xml(response, `<ListBucketResult>${'<a/>'.repeat(100_000)}</ListBucketResult>`);
    });
    await assert.rejects(driver.list(at('docker')), failsWith('STORAGE'));
  });

  it('repeats the signature in its message: it is left out', async (t) => {
    const header = 'AWS4-HMAC-SHA256 Credential=AKID/20261130/s3, SignedHeaders=host, Signature=5f1e';
    const { driver } = await openFake(t, (_, response) => {
      const text = `not valid: ${header}; X-Amz-Security-Token: ${sessionToken}`;
      response.writeHead(400).end(`<Error><Code>Odd</Code><Message>${text}</Message></Error>`);
    });
    await assert.rejects(
      driver.get(path, 9),
      failsWith('STORAGE', ({ message }) => {
        assert.match(message, /Odd, "not valid/);
        for (const secret of ['AKID', '5f1e', sessionToken]) assert.ok(!message.includes(secret), message);
      }),
    );
  });

  it('gives the same page of states again: that is an error, and not an endless loop', async (t) => {
    const { driver } = await openFake(t, (_, response) => xml(response, listed('_uploads/one/data.part/x', true)));
    await assert.rejects(
      all(driver.uploads.list(at('_uploads'))),
      failsWith('STORAGE', ({ message }) => assert.match(message, /does not end/)),
    );
  });
});

describe('a damaged state of an upload in a bucket', () => {
  for (const [what, content] of [
    ['no JSON', 'garbage'],
    ['parts without bytes', '{"partBytes":0,"etags":[]}\n'],
    ['parts that no memory holds', '{"partBytes":9007199254740991,"etags":[]}\n'],
    ['a tail that is longer than a part', '{"partBytes":2,"etags":[]}\nabc'],
  ] as const) {
    it(`(${what}) is found, so that it can be removed, and not gone on with`, async (t) => {
      const { driver } = await openFake(t, ({ query }, response) => {
        if (query.has('list-type')) xml(response, listed('_uploads/one/data.parts/999998', false));
        else object(response, content);
      });
      const facts = { path: upload, size: 0, storedAt: new Date(0), held: false };
      assert.deepEqual(await driver.uploads.find(upload), facts);
      assert.deepEqual(await all(driver.uploads.list(at('_uploads'))), [facts]);
      await assert.rejects(driver.uploads.resume(upload), failsWith('STORAGE'));
    });
  }
});
