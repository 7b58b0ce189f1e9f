import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseHostRules } from '../../src/config/host-rules.ts';
import { parseReference } from '../../src/model/reference/reference.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { inOwnNetwork, outside } from '../support/network/own-network.ts';
import { digestOf, open } from './opened.ts';

inOwnNetwork(import.meta.url, () => {
  describe('allow-private of config.yaml', () => {
    it('names where a registry outside may have its token server inside', async (t) => {
      const tokens = await startFakeServer(t, (_, response) => response.writeHead(403).end());
      const realm = `Bearer realm="${tokens.url}token"`;
      const server = await startFakeServer(
        t,
        (_, response) => response.writeHead(401, { 'www-authenticate': realm }).end(),
        {
          address: outside,
        },
      );
      const reference = parseReference(`${server.host}/app`);
      const insecure = { 'insecure-registries': [server.host] };
      const origin = { kind: 'option', name: 'test' } as const;
      const allow = (value: string) => parseHostRules([{ value, origin }], 'allow-private', () => {});
      for (const [entry, reached] of [
        ['10.0.0.0/8', 0],
        ['127.0.0.1', 1],
      ] as const) {
        const { service } = await open(t, {
          daemon: insecure,
          adjust: (settings) => ({ ...settings, allowPrivate: allow(entry) }),
        });
        const registry = await service.open(reference, 'pull');
        const text = reached === 0 ? /inside this network/ : /403/;
        await assert.rejects(digestOf(registry, reference.path), text);
        assert.equal(tokens.requests.length, reached);
      }
    });
  });
});
