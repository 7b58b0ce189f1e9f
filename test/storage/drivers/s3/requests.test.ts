import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failsWith, text } from '../../stores.ts';
import { at } from '../every-driver.ts';
import { object, openFake, secretKey } from './s3-fake.ts';

const path = at('docker/registry/v2/a');

describe('what is put into S3', () => {
  it('is stored, encrypted and shared as the settings say', async (t) => {
    const { driver, server } = await openFake(
      t,
      ({ method }, response) => {
        if (method !== 'PUT') return object(response, 'x');
        response.writeHead(200, { etag: '"1"' });
        return response.end('<CopyObjectResult><ETag>"1"</ETag></CopyObjectResult>');
      },
      { storageClass: 'STANDARD_IA', encryption: { algorithm: 'aws:kms', keyId: 'key' }, acl: 'private' },
    );
    await driver.put(path, text('x'));
    await driver.putIfAbsent(path, text('x'));
    assert.equal(await driver.copy(path, at('b')), true);
    const puts = server.requests.filter(({ method }) => method === 'PUT');
    assert.equal(puts.length, 3);
    for (const { headers } of puts) {
      assert.equal(headers['x-amz-storage-class'], 'STANDARD_IA');
      assert.equal(headers['x-amz-server-side-encryption'], 'aws:kms');
      assert.equal(headers['x-amz-server-side-encryption-aws-kms-key-id'], 'key');
      assert.equal(headers['x-amz-acl'], 'private');
      assert.equal(headers['content-type'], 'application/octet-stream');
      assert.match(String(headers.authorization), /SignedHeaders=[^,]*x-amz-storage-class/);
    }
    assert.equal(puts[2]?.headers['x-amz-copy-source'], 'images/team/docker/registry/v2/a');
  });

  it('has no such header by default, and no checksum that stores refuse', async (t) => {
    const { driver, server } = await openFake(t, (_, response) => response.writeHead(200, { etag: '"1"' }).end());
    await driver.put(path, text('x'));
    const names = Object.keys(server.requests[0]?.headers ?? {}).filter((name) => name.startsWith('x-amz-'));
    assert.deepEqual(names.sort(), ['x-amz-content-sha256', 'x-amz-date']);
  });

  it('is not copied if the store says so after a 200', async (t) => {
    const { driver } = await openFake(t, ({ method }, response) => {
      if (method === 'HEAD') return object(response, '');
      return response.writeHead(200).end('<Error><Code>InternalError</Code></Error>');
    });
    await assert.rejects(driver.copy(path, at('b')), failsWith('UNAVAILABLE'));
  });
});

describe('a list of S3', () => {
  const entry = (key: string): string =>
    `<Contents><Key>${key}</Key><LastModified>2026-11-30T12:00:00.000Z</LastModified><Size>1</Size></Contents>`;
  const list = (...parts: string[]): string =>
    `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>${parts.join('')}</ListBucketResult>`;

  it('leaves out what other programs put there: markers of directories, and names without a name', async (t) => {
    const keys = ['team/d/', 'team/d/a', 'team/d/b/', 'team/d//c', 'team/d/x/../y', 'team/d/%C3%A4+%2B', 'elsewhere'];
    const { driver } = await openFake(t, (_, response) => response.writeHead(200).end(list(...keys.map(entry))));
    const { entries } = await driver.list(at('d'), { deep: true });
    assert.deepEqual(
      entries.map(({ name }) => name),
      ['a', 'ä +'],
    );
  });

  it('is an error if it does not end', async (t) => {
    const { driver } = await openFake(t, (_, response) => {
      response.writeHead(200).end(list('<IsTruncated>true</IsTruncated>', entry('team/d/a')));
    });
    const { next } = await driver.list(at('d'));
    await assert.rejects(
      driver.list(at('d'), { after: next }),
      failsWith('STORAGE', ({ message }) => assert.match(message, /does not end/)),
    );
  });
});

describe('a URL of S3', () => {
  it('is signed for a time and a host, and asks for the keys to last as long', async (t) => {
    const asked: unknown[] = [];
    const keys = async (options?: { readonly leastMs?: number }) => {
      asked.push(options?.leastMs);
      return { accessKeyId: 'AKID', secretAccessKey: secretKey, sessionToken: 'token' };
    };
    const { driver } = await openFake(t, () => {}, { keys });
    const url = new URL((await driver.url?.(path, { validMs: 1_200_000, origin: 'https://cdn.example.com' })) ?? '');
    assert.equal(url.origin + url.pathname, 'https://cdn.example.com/images/team/docker/registry/v2/a');
    assert.equal(url.searchParams.get('X-Amz-Expires'), '1200');
    assert.equal(url.searchParams.get('X-Amz-SignedHeaders'), 'host');
    assert.equal(url.searchParams.get('X-Amz-Security-Token'), 'token');
    assert.ok(!url.href.includes(secretKey));
    assert.deepEqual(asked, [1_200_000]);
    const other = await driver.url?.(path, { validMs: 1_000, origin: 'https://s3.example.com:9000' });
    assert.match(other ?? '', /^https:\/\/s3\.example\.com:9000\/images\/team\//);
  });
});
