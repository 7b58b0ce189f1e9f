import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, isOciError, OciError } from '../../../../src/model/errors.ts';
import { blobEnumerator, endpointReport } from '../../../../src/registry/extensions.ts';
import { fallback } from '../../../../src/registry/wrappers/fallback/fallback.ts';
import { all, failsWith, read } from '../../../contract/contract.ts';
import { type Actor, actor, failing, fill, latest, repo, watchFallbacks } from './endpoints.ts';

const bytes = Buffer.from('a blob of some bytes');

describe('reading through mirrors', () => {
  it('asks the first mirror, and opens nothing else', async () => {
    const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
    const blob = await fill(bytes, mirror, origin);
    const registry = fallback([mirror, origin]);
    assert.equal(registry.name, 'origin');
    await registry.getManifest(repo, latest);
    await registry.statManifest(repo, latest);
    assert.deepEqual(await read(await registry.getBlob(repo, blob)), bytes);
    assert.equal((await registry.statBlob(repo, blob.digest)).size, bytes.length);
    assert.deepEqual(await all(registry.tags(repo)), [latest]);
    assert.equal(mirror.opened, 1);
    assert.equal(origin.opened, 0);
    assert.equal(registry.extension(endpointReport)?.servedBy(), 'mirror');
    assert.equal(registry.extension(blobEnumerator), undefined);
  });

  it('moves on from a mirror whatever it fails with, and says so', async () => {
    const codes: readonly ErrorCode[] = [
      'NETWORK',
      'TIMEOUT',
      'TLS',
      'PROTOCOL',
      'UNAVAILABLE',
      'UNKNOWN',
      'MANIFEST_UNKNOWN',
      'NAME_UNKNOWN',
      'DENIED',
      'UNAUTHORIZED',
      'TOOMANYREQUESTS',
      'MANIFEST_INVALID',
      'DIGEST_MISMATCH',
      'CONFIG_INVALID',
    ];
    for (const code of codes) {
      const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
      await fill(bytes, mirror, origin);
      mirror.failure = failing(code);
      const { events, onFallback } = watchFallbacks();
      const registry = fallback([mirror, origin], { onFallback });
      await registry.getManifest(repo, latest);
      assert.deepEqual(events, [`mirror ${code} -> origin`]);
      assert.equal(registry.extension(endpointReport)?.servedBy(), 'origin');
    }
  });

  it('moves on from a mirror that cannot even be opened', async () => {
    const origin = actor('origin', 'origin');
    await fill(bytes, origin);
    let opened = 0;
    const mirror = actor('mirror', 'mirror', {});
    const unusable = {
      ...mirror,
      async open(): Promise<never> {
        opened += 1;
        throw failing('CONFIG_INVALID');
      },
    };
    const registry = fallback([unusable, origin]);
    await registry.getManifest(repo, latest);
    await registry.getManifest(repo, latest);
    assert.equal(opened, 1);
  });

  it('stops at an image in an unsupported format, but not at a method that a mirror lacks', async () => {
    const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
    await fill(bytes, mirror, origin);
    mirror.failure = failing('UNSUPPORTED');
    await assert.rejects(fallback([mirror, origin]).getManifest(repo, latest), failsWith('UNSUPPORTED'));
    mirror.failure = failing('UNSUPPORTED', { status: 405 });
    await fallback([mirror, origin]).getManifest(repo, latest);
  });

  it('stops when it is cancelled, and when nothing has changed', async () => {
    const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
    await fill(bytes, mirror, origin);
    const { digest } = await mirror.registry.statManifest(repo, latest);
    const registry = fallback([mirror, origin]);
    await assert.rejects(registry.getManifest(repo, latest, { ifNoneMatch: digest }), failsWith('NOT_MODIFIED'));
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(registry.getManifest(repo, latest, { signal }), /enough/);
    assert.equal(origin.opened, 0);
  });

  it('passes by a mirror that does not want the request', async () => {
    const mirror = actor('mirror', 'mirror', { skipWhen: ({ reference }) => reference === latest });
    const origin = actor('origin', 'origin');
    await fill(bytes, mirror, origin);
    const registry = fallback([mirror, origin]);
    const { descriptor } = await registry.getManifest(repo, latest);
    assert.equal(mirror.opened, 0);
    await registry.getManifest(repo, descriptor.digest);
    assert.equal(mirror.opened, 1);
  });

  it('lists from the next one when the first fails before its first entry', async () => {
    const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
    await fill(bytes, origin);
    const registry = fallback([mirror, origin]);
    assert.deepEqual(await all(registry.tags(repo)), [latest]);
    mirror.failure = failing('UNAVAILABLE');
    assert.deepEqual(await all(registry.repositories()), [repo]);
  });
});

describe('reading from origins', () => {
  it('moves on if one cannot be reached, answers 5xx or is not a registry', async () => {
    for (const error of [
      failing('NETWORK'),
      failing('TIMEOUT'),
      failing('TLS'),
      failing('PROTOCOL'),
      failing('UNAVAILABLE', { status: 503 }),
      failing('TIMEOUT', { status: 504 }),
    ]) {
      const [first, second] = [actor('first', 'origin'), actor('second', 'origin')];
      await fill(bytes, first, second);
      first.failure = error;
      await fallback([first, second]).getManifest(repo, latest);
      assert.deepEqual(second.asked, ['getManifest'], error.code);
    }
  });

  it('stops at an answer about the image', async () => {
    for (const code of [
      'MANIFEST_UNKNOWN',
      'NAME_UNKNOWN',
      'DENIED',
      'UNAUTHORIZED',
      'TOOMANYREQUESTS',
      'BLOB_UNKNOWN',
      'DIGEST_MISMATCH',
      'MANIFEST_INVALID',
    ] as const) {
      const [first, second] = [actor('first', 'origin'), actor('second', 'origin')];
      await fill(bytes, first, second);
      first.failure = failing(code);
      await assert.rejects(fallback([first, second]).getManifest(repo, latest), failsWith(code));
      assert.equal(second.opened, 0, code);
    }
  });

  it('stops at a fault of our own', async () => {
    const [first, second] = [actor('first', 'origin'), actor('second', 'origin')];
    first.failure = new TypeError('a fault');
    await assert.rejects(fallback([first, second]).getManifest(repo, latest), TypeError);
  });

  it('does not go on in clear text once the host has answered over TLS', async () => {
    for (const failure of [failing('UNAVAILABLE', { status: 503 }), failing('PROTOCOL', { status: 200 })]) {
      const secure = actor('host', 'origin');
      const clear = actor('http://host', 'origin', { twinOf: 'host' });
      await fill(bytes, clear);
      secure.failure = failure;
      const registry = fallback([secure, clear]);
      await assert.rejects(registry.getManifest(repo, latest), failsWith(failure.code));
      secure.failure = failing('NETWORK');
      await assert.rejects(registry.getManifest(repo, latest), failsWith('NETWORK'));
      assert.equal(clear.opened, 0);
    }
  });

  it('does not go on in clear text when TLS has answered inside a question that then failed', async () => {
    const secure = actor('host', 'origin');
    const clear = actor('http://host', 'origin', { twinOf: 'host' });
    await fill(bytes, clear);
    secure.failure = failing('NETWORK');
    // It answers with 401, and cuts the connection when the credentials arrive.
    const challenging = { ...secure, open: (answered: () => void) => secure.open(answered).finally(answered) };
    await assert.rejects(fallback([challenging, clear]).getManifest(repo, latest), failsWith('NETWORK'));
    assert.equal(clear.opened, 0);
  });

  it('goes on in clear text where the host never answered over TLS', async () => {
    for (const code of ['NETWORK', 'TLS', 'TIMEOUT', 'PROTOCOL'] as const) {
      const secure = actor('host', 'origin');
      const clear = actor('http://host', 'origin', { twinOf: 'host' });
      await fill(bytes, clear);
      secure.failure = failing(code);
      await fallback([secure, clear]).getManifest(repo, latest);
    }
  });
});

describe('an endpoint that could not be reached', () => {
  it('is not asked again while there is another', async () => {
    const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
    const blob = await fill(bytes, mirror, origin);
    mirror.failure = failing('TIMEOUT');
    const { events, onFallback } = watchFallbacks();
    const registry = fallback([mirror, origin], { onFallback });
    for (let i = 0; i < 3; i++) await registry.getManifest(repo, latest);
    assert.deepEqual(await read(await registry.getBlob(repo, blob)), bytes);
    assert.equal(mirror.asked.length, 1);
    assert.deepEqual(events, ['mirror TIMEOUT -> origin'], 'said once');
  });

  it('that only said no is asked again', async () => {
    const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
    await fill(bytes, mirror, origin);
    mirror.failure = failing('UNAVAILABLE', { status: 503 });
    const registry = fallback([mirror, origin]);
    await registry.getManifest(repo, latest);
    mirror.failure = undefined;
    await registry.getManifest(repo, latest);
    assert.equal(mirror.asked.length, 2);
    assert.equal(origin.asked.length, 1);
  });

  it('is tried once more if no other endpoint is left', async () => {
    const [mirror, origin] = [actor('mirror', 'mirror'), actor('origin', 'origin')];
    await fill(bytes, mirror, origin);
    mirror.failure = failing('NETWORK');
    origin.failure = failing('NETWORK');
    const registry = fallback([mirror, origin]);
    await assert.rejects(registry.getManifest(repo, latest), failsWith('NETWORK'));
    origin.failure = undefined;
    await registry.getManifest(repo, latest);
    assert.equal(mirror.asked.length, 1);
  });
});

describe('a mirror for digests alone', () => {
  it('serves the blobs of a manifest that was read by tag elsewhere', async () => {
    const skipWhen: Actor['skipWhen'] = ({ kind, reference }) => kind === 'manifest' && reference === latest;
    const [mirror, origin] = [actor('mirror', 'mirror', { skipWhen }), actor('origin', 'origin')];
    const blob = await fill(Buffer.from('bytes'), mirror, origin);
    const registry = fallback([mirror, origin]);
    await registry.getManifest(repo, latest);
    await read(await registry.getBlob(repo, blob));
    assert.deepEqual([mirror.asked, origin.asked], [['getBlob'], ['getManifest']]);
  });
});

describe('the error when no endpoint serves', () => {
  it('is that of the registry itself, and names the mirrors with their reasons', async () => {
    const actors = [actor('one.test', 'mirror'), actor('two.test', 'mirror'), actor('origin.test', 'origin')] as const;
    const [one, two, origin] = actors;
    one.failure = failing('NETWORK');
    two.failure = failing('DENIED', { status: 403 });
    origin.failure = failing('MANIFEST_UNKNOWN', { status: 404, detail: 'theirs', hint: 'look again' });
    const registry = fallback(actors);
    for (let round = 0; round < 2; round++) {
      const error: unknown = await registry.getManifest(repo, latest).catch((caught: unknown) => caught);
      assert.ok(isOciError(error, 'MANIFEST_UNKNOWN'));
      assert.match(
        error.message,
        /^MANIFEST_UNKNOWN .*; mirror two\.test denies .*; mirror one\.test cannot be reached/,
      );
      assert.equal(error.hint, 'look again');
      assert.equal(error.status, 404);
      assert.deepEqual(error.detail, {
        tried: [
          { endpoint: 'one.test', code: 'NETWORK', message: 'NETWORK for a test' },
          { endpoint: 'two.test', code: 'DENIED', message: 'DENIED for a test' },
        ],
        registry: 'theirs',
      });
    }
  });

  it('is left as it is where only one was asked', async () => {
    const origin = actor('origin', 'origin');
    origin.failure = failing('DENIED');
    await assert.rejects(fallback([origin]).getManifest(repo, latest), (error) => error === origin.failure);
  });
});

describe('a fallback over nothing', () => {
  it('is refused', () => {
    assert.throws(() => fallback([]), OciError);
  });
});
