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

  it('is told once where nobody is there', async () => {
    assert.equal((await fail(refused(), refused())).message, 'NETWORK for a test');
  });

  it('is that of plain http alone where it is what is spoken there', async () => {
    assert.equal((await fail(plainHttp(), failing('TIMEOUT'))).message, 'TIMEOUT for a test');
    const missing = await fail(refused(), failing('MANIFEST_UNKNOWN', { status: 404 }));
    assert.equal(missing.message, 'MANIFEST_UNKNOWN for a test');
  });

  it('is that of TLS, naming the other, where both help', async () => {
    const hint = 'put the CA there';
    const error = await fail(new OciError('TLS', 'wrong certificate', { hint }), refused());
    assert.equal(error.message, 'wrong certificate (also tried: http://host: NETWORK for a test)');
    assert.deepEqual([error.code, error.hint], ['TLS', hint]);
  });

  it('is that of TLS alone where plain http only says that it wants TLS', async () => {
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
