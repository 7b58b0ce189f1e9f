import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseReference } from '../../../src/model/reference/reference.ts';
import { failsWith } from '../../contract/contract.ts';
import { json, startFakeServer } from '../../support/fake-server.ts';
import { ada, basic } from '../../support/login-servers.ts';
import { open } from '../opened.ts';

describe('a token of a registry', () => {
  const offers = ['Bearer, Basic realm="test"', 'Bearer service="s", Basic realm="test"', 'Basic realm="test"'];
  for (const challenge of offers) {
    it(`is not the password where the registry asks for ${challenge}`, async (t) => {
      const registry = await startFakeServer(t, (_, response) =>
        json(response, 401, {}, { 'www-authenticate': challenge }),
      );
      const { service } = await open(t, {
        config: { auths: { [registry.host]: { auth: basic(ada).replace('Basic ', '') } } },
      });
      const reference = parseReference(`${registry.host}/app`);
      await assert.rejects(service.token(reference, ['repository:app:pull']), failsWith('UNSUPPORTED'));
    });
  }
});
