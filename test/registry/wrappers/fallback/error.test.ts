import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOciError, OciError } from '../../../../src/model/errors.ts';
import { fallback } from '../../../../src/registry/wrappers/fallback/fallback.ts';
import { read } from '../../../contract/contract.ts';
import { actor, failing, fill, latest, repo } from './endpoints.ts';

const bytes = Buffer.from('a blob of some bytes');

describe('the error for a host that is asked over TLS and in plain http', () => {
  const refused = () => failing('NETWORK');
  const plainHttp = () => failing('TLS', { detail: { plainHttp: true } });
  const fail = async (secureError: OciError, clearError: OciError): Promise<OciError> => {
    const secure = actor('host', 'origin');
    const clear = actor('http://host', 'origin', { twinOf: 'host' });
    [secure.failure, clear.failure] = [secureError, clearError];
    const error: unknown = await fallback([secure, clear])
      .getManifest(repo, latest)
      .catch((reason: unknown) => reason);
    return isOciError(error) ? error : assert.fail('it did not fail');
  };

  it('names the host once if neither answers', async () => {
    assert.equal((await fail(refused(), refused())).message, 'NETWORK for a test');
  });

  it('is that of plain http alone if the server speaks plain http', async () => {
    assert.equal((await fail(plainHttp(), failing('TIMEOUT'))).message, 'TIMEOUT for a test');
    const missing = await fail(refused(), failing('MANIFEST_UNKNOWN', { status: 404 }));
    assert.equal(missing.message, 'MANIFEST_UNKNOWN for a test');
  });

  it('is that of TLS, then of plain http, if both say something', async () => {
    const hint = 'put the CA there';
    const error = await fail(new OciError('TLS', 'wrong certificate', { hint }), refused());
    assert.equal(error.message, 'wrong certificate; http://host cannot be reached (NETWORK for a test)');
    assert.deepEqual([error.code, error.hint], ['TLS', hint]);
  });

  it('is that of TLS alone if plain http only reports that the server wants TLS', async () => {
    assert.equal((await fail(failing('TIMEOUT'), failing('TLS'))).message, 'TIMEOUT for a test');
  });

  it('is that of the endpoint that had been serving when it dies in the middle of a blob', async () => {
    const secure = actor('host', 'origin');
    const clear = actor('http://host', 'origin', { twinOf: 'host' });
    const blob = await fill(bytes, clear);
    secure.failure = plainHttp();
    const registry = fallback([secure, clear]);
    await registry.getManifest(repo, latest);
    clear.breaking = { afterBytes: 4, error: new OciError('NETWORK', 'the connection was cut') };
    await assert.rejects(async () => read(await registry.getBlob(repo, blob)), {
      code: 'NETWORK',
      message: 'the connection was cut',
    });
  });
});

describe('the error of several hosts', () => {
  const ask = async (mirrorError: OciError, originError: OciError): Promise<OciError> => {
    const [mirror, origin] = [actor('mirror.test', 'mirror'), actor('origin.test', 'origin')];
    [mirror.failure, origin.failure] = [mirrorError, originError];
    const error: unknown = await fallback([mirror, origin])
      .getManifest(repo, latest)
      .catch((reason: unknown) => reason);
    return isOciError(error) ? error : assert.fail('it did not fail');
  };
  const image = 'library/app:latest';
  const mirrors = [
    [failing('MANIFEST_UNKNOWN', { status: 404 }), `mirror mirror.test has no ${image}`],
    [failing('NAME_UNKNOWN', { status: 404 }), `mirror mirror.test has no ${image}`],
    [failing('UNAUTHORIZED', { status: 401 }), `mirror mirror.test denies access to ${image} (401)`],
    [failing('DENIED', { status: 403 }), `mirror mirror.test denies access to ${image} (403)`],
    [failing('TOOMANYREQUESTS', { status: 429 }), 'mirror mirror.test allows no more requests for now'],
    [failing('UNAVAILABLE', { status: 503 }), 'mirror mirror.test fails with status 503'],
    [failing('NETWORK'), 'mirror mirror.test cannot be reached (NETWORK for a test)'],
    [failing('TIMEOUT'), 'mirror mirror.test cannot be reached (TIMEOUT for a test)'],
    [
      new OciError('TLS', 'mirror.test: its certificate has expired'),
      'mirror mirror.test cannot be reached over TLS (its certificate has expired)',
    ],
    [failing('PROTOCOL'), 'mirror mirror.test: PROTOCOL for a test'],
  ] as const;
  const origins = [
    [new OciError('NETWORK', 'origin.test: no such host'), 'origin.test cannot be reached (no such host)'],
    [failing('TIMEOUT'), 'origin.test cannot be reached (TIMEOUT for a test)'],
    [failing('TLS'), 'origin.test cannot be reached over TLS (TLS for a test)'],
    [failing('UNAVAILABLE', { status: 503 }), 'origin.test fails with status 503'],
    [failing('PROTOCOL'), 'origin.test: PROTOCOL for a test'],
  ] as const;
  for (const [mirrorError, first] of mirrors) {
    for (const [originError, second] of origins) {
      it(`is one sentence where the mirror fails with ${mirrorError.code} and the registry itself with ${originError.code}`, async () => {
        const error = await ask(mirrorError, originError);
        assert.equal(error.message, `${first}, and ${second}`);
        assert.deepEqual([error.code, error.retryable], [originError.code, originError.retryable]);
      });
    }

    it(`is the final answer of the registry itself, followed by that of a mirror that fails with ${mirrorError.code}`, async () => {
      const error = await ask(mirrorError, failing('MANIFEST_UNKNOWN', { status: 404, hint: 'look again' }));
      assert.equal(error.message, `MANIFEST_UNKNOWN for a test; ${first}`);
      assert.deepEqual([error.code, error.hint], ['MANIFEST_UNKNOWN', 'look again']);
    });
  }

  it('has the advice for the mirror and for the registry itself', async () => {
    const denied = failing('DENIED', { status: 403, hint: 'log in there' });
    const unreachable = failing('NETWORK', { hint: 'check the network' });
    assert.equal((await ask(denied, unreachable)).hint, 'log in there; origin.test may have it: check the network');
    assert.equal(
      (await ask(denied, failing('NETWORK'))).hint,
      'log in there; origin.test may have it: try again later',
    );
    assert.equal((await ask(failing('TIMEOUT'), unreachable)).hint, 'check the network');
  });

  it('names a host over TLS and in plain http apart, with a mirror before them', async () => {
    const [mirror, secure] = [actor('mirror.test', 'mirror'), actor('host', 'origin')];
    const clear = actor('http://host', 'origin', { twinOf: 'host' });
    mirror.failure = failing('MANIFEST_UNKNOWN', { status: 404 });
    secure.failure = new OciError('TLS', 'host: wrong certificate');
    clear.failure = new OciError('NETWORK', 'host: connection refused');
    await assert.rejects(fallback([mirror, secure, clear]).getManifest(repo, latest), {
      code: 'TLS',
      message:
        `mirror mirror.test has no ${image}, http://host cannot be reached (connection refused), ` +
        'and host cannot be reached over TLS (wrong certificate)',
    });
  });
});
