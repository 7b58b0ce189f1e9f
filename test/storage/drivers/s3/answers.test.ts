import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError } from '../../../../src/model/errors.ts';
import { failsWith, text } from '../../stores.ts';
import { at, readAll } from '../every-driver.ts';
import { fault, object, openFake, secretKey } from './s3-fake.ts';

const path = at('docker/registry/v2/a');

describe('a store on S3 that tells a fault', () => {
  for (const [status, code, expected, message, hint] of [
    [404, 'NoSuchBucket', 'STORAGE', /no such bucket/, /make it first/],
    [403, 'AccessDenied', 'STORAGE_DENIED', /the key may not do that/, /permissions/],
    [403, 'InvalidAccessKeyId', 'STORAGE_DENIED', /does not know the access key/, /\$AWS_ACCESS_KEY_ID/],
    [403, 'SignatureDoesNotMatch', 'STORAGE_DENIED', /the secret key is wrong/, /\$AWS_SECRET_ACCESS_KEY/],
    [400, 'ExpiredToken', 'STORAGE_DENIED', /session token has ended/, /renew the keys/],
    [403, 'QuotaExceeded', 'STORAGE_FULL', /quota/, /make room/],
    [507, 'Whatever', 'STORAGE_FULL', /no space left/, /make room/],
    [501, 'NotImplemented', 'STORAGE', /does not implement/, /parameter of --root/],
    [503, 'SlowDown', 'UNAVAILABLE', /answers SlowDown/, /try again later/],
    [500, 'InternalError', 'UNAVAILABLE', /answers InternalError/, /try again later/],
    [400, 'Unheard', 'STORAGE', /answers Unheard, "Told by the store"/, /check what --root says/],
  ] as const) {
    it(`${code} is ${expected}`, async (t) => {
      const { driver } = await openFake(t, (_, response) => fault(response, status, code));
      const isTold = failsWith(expected, (error) => {
        assert.match(error.message, message);
        assert.match(error.hint ?? '', hint);
        assert.match(error.message, /^s3:\/\/images\/team: cannot (?:read|write) docker\/registry\/v2\/a/);
        assert.ok(!error.message.includes(secretKey));
      });
      await assert.rejects(driver.get(path, 9), isTold);
      await assert.rejects(driver.put(path, text('x')), isTold);
    });
  }

  it('is asked for the reason of a HEAD, which has none', async (t) => {
    const { driver, server } = await openFake(t, ({ method }, response) => {
      if (method === 'HEAD') response.writeHead(403).end();
      else fault(response, 403, 'InvalidAccessKeyId');
    });
    await assert.rejects(
      driver.stat(path),
      failsWith('STORAGE_DENIED', ({ message }) => assert.match(message, /InvalidAccessKeyId/)),
    );
    assert.deepEqual(
      server.requests.map(({ method }) => method),
      ['HEAD', 'GET'],
    );
  });

  it('says where the bucket is', async (t) => {
    const { driver } = await openFake(t, (_, response) => {
      fault(response, 400, 'AuthorizationHeaderMalformed', '<Region>us-west-2</Region>');
    });
    await assert.rejects(
      driver.get(path, 9),
      failsWith('STORAGE', ({ message, hint }) => {
        assert.match(message, /the bucket images is in the region us-west-2/);
        assert.equal(hint, 'write region=us-west-2 in --root');
      }),
    );
  });

  it('is asked again when it is busy', async (t) => {
    const { driver, server } = await openFake(t, ({ nth, method }, response) => {
      if (nth < 2) fault(response, 503, 'SlowDown');
      else if (method === 'GET') object(response, 'there');
      else response.writeHead(200, { etag: '"1"' }).end();
    });
    assert.deepEqual(await driver.get(path, 9), text('there'));
    await driver.put(path, text('x'));
    assert.equal(await driver.putIfAbsent(at('b'), text('x')), true);
    assert.equal(server.requests.length, 9);
  });

  it('is unavailable if it stalls', async (t) => {
    const { driver, server } = await openFake(t, () => {});
    await assert.rejects(
      driver.get(path, 9),
      failsWith('UNAVAILABLE', ({ retryable }) => assert.equal(retryable, true)),
    );
    assert.equal(server.requests.length, 3);
  });
});

describe('what is no store on S3', () => {
  const page = '<!doctype html><html><body>It works!</body></html>';
  for (const status of [200, 403, 404]) {
    it(`is told by a web page with ${status}`, async (t) => {
      const { driver } = await openFake(t, (_, response) => {
        response.writeHead(status, { 'content-type': 'text/html' }).end(page);
      });
      const isTold = failsWith('STORAGE', ({ hint }) => assert.match(hint ?? '', /check the endpoint/));
      await assert.rejects(driver.get(path, 99), isTold);
      await assert.rejects(driver.list(path), isTold);
    });
  }

  it('is told by a document that goes too deep', async (t) => {
    const { driver } = await openFake(t, (_, response) => response.writeHead(200).end('<a>'.repeat(200_000)));
    await assert.rejects(driver.list(path), failsWith('STORAGE'));
  });
});

describe('the clock of a store on S3', () => {
  it('is taken for signatures if this machine’s is off, and that is told once', async (t) => {
    const aheadMs = 3 * 3_600_000;
    const { driver, server, warnings } = await openFake(t, ({ headers }, response) => {
      const now = Date.now() + aheadMs;
      response.setHeader('date', new Date(now).toUTCString());
      const [, day, time] = /^(\d{8})T(\d{6})Z$/.exec(String(headers['x-amz-date'])) ?? [];
      const signed = Date.parse(`${day?.replace(/(....)(..)/, '$1-$2-')}T${time?.replace(/(..)(..)/, '$1:$2:')}Z`);
      if (Math.abs(now - signed) > 900_000) fault(response, 403, 'RequestTimeTooSkewed');
      else object(response, 'there');
    });
    assert.deepEqual(await driver.get(path, 9), text('there'));
    assert.deepEqual(await driver.get(path, 9), text('there'));
    assert.equal(server.requests.length, 3);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? '',
      /^the clock of this machine is 180 minutes behind that of 127\.0\.0\.1:\d+, whose time is used/,
    );
  });

  it('is given up on if its time does not help', async (t) => {
    const { driver, server } = await openFake(t, (_, response) => fault(response, 403, 'RequestTimeTooSkewed'));
    await assert.rejects(
      driver.get(path, 9),
      failsWith('STORAGE_DENIED', ({ hint }) => assert.match(hint ?? '', /set the clock/)),
    );
    assert.equal(server.requests.length, 2);
  });
});

describe('keys that end', () => {
  it('are renewed when the store says so', async (t) => {
    const asked: (string | undefined)[] = [];
    const { driver } = await openFake(
      t,
      ({ headers }, response) => {
        if (headers['x-amz-security-token'] === 'new') object(response, 'there');
        else fault(response, 400, 'ExpiredToken');
      },
      {
        keys: async ({ refused } = {}) => {
          asked.push(refused?.sessionToken);
          return { accessKeyId: 'A', secretAccessKey: secretKey, sessionToken: refused ? 'new' : 'old' };
        },
      },
    );
    assert.deepEqual(await driver.get(path, 9), text('there'));
    assert.deepEqual(asked, [undefined, 'old']);
  });
});

describe('an answer of S3 that is lost', () => {
  for (const [kept, created] of [
    ['mine', true],
    ['other', false],
  ] as const) {
    it(`leaves what is there to tell whether this writer created it: ${kept}`, async (t) => {
      const { driver, server } = await openFake(t, ({ method, nth, headers }, response) => {
        if (method === 'GET') return object(response, kept);
        assert.equal(headers['if-none-match'], '*');
        return nth === 0 ? response.destroy() : fault(response, 412, 'PreconditionFailed');
      });
      assert.equal(await driver.putIfAbsent(path, text('mine')), created);
      assert.deepEqual(
        server.requests.map(({ method }) => method),
        ['PUT', 'PUT', 'GET'],
      );
    });
  }

  it('is asked again where another write of the key was under way', async (t) => {
    const { driver, server } = await openFake(t, ({ method, nth }, response) => {
      if (method === 'GET') return object(response, 'other');
      return nth === 0
        ? fault(response, 409, 'ConditionalRequestConflict')
        : fault(response, 412, 'PreconditionFailed');
    });
    assert.equal(await driver.putIfAbsent(path, text('mine')), false);
    assert.deepEqual(
      server.requests.map(({ method }) => method),
      ['PUT', 'PUT', 'GET'],
    );
  });

  it('is not needed where the store says that there was an object', async (t) => {
    const { driver, server } = await openFake(t, (_, response) => fault(response, 412, 'PreconditionFailed'));
    assert.equal(await driver.putIfAbsent(path, text('mine')), false);
    assert.equal(server.requests.length, 1);
  });
});

describe('an object of S3 that is read', () => {
  it('is read on where the connection broke, as long as it is the same', async (t) => {
    const { driver, server } = await openFake(t, ({ nth }, response) => {
      if (nth > 0) return object(response, '56789', { 'content-range': 'bytes 5-9/10', 'content-length': '5' });
      response.writeHead(200, { etag: '"1"', 'last-modified': 'Mon, 30 Nov 2026 12:00:00 GMT', 'content-length': 10 });
      return response.write('01234', () => response.destroy());
    });
    const opened = await driver.open(path);
    assert.ok(opened);
    assert.equal(await readAll(opened), '0123456789');
    const [, second] = server.requests;
    assert.deepEqual([second?.headers.range, second?.headers['if-match']], ['bytes=5-9', '"1"']);
  });

  it('fails if it was replaced when the connection broke', async (t) => {
    const { driver } = await openFake(t, ({ nth }, response) => {
      if (nth > 0) return fault(response, 412, 'PreconditionFailed');
      response.writeHead(200, { etag: '"1"', 'last-modified': 'Mon, 30 Nov 2026 12:00:00 GMT', 'content-length': 10 });
      return response.write('01234', () => response.destroy());
    });
    const opened = await driver.open(path);
    assert.ok(opened);
    await assert.rejects(
      readAll(opened),
      (error) => isOciError(error, 'STORAGE') && error.retryable && /was replaced or deleted/.test(error.message),
    );
  });
});
