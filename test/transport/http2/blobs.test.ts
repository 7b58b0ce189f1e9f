import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAuthorizer } from '../../../src/auth/authorizer.ts';
import { digestBytes } from '../../../src/model/digest.ts';
import { createRemote } from '../../../src/remote/remote.ts';
import { repo } from '../../remote/fake-registry.ts';
import { expecting } from './open.ts';
import { say, startHttp2 } from './server.ts';

describe('a registry that speaks HTTP/2', () => {
  it('gives blobs over the connection that all share only where they are known to be small', async (t) => {
    const server = await startHttp2(t, (stream) => say(stream, 'plain'));
    const transport = expecting(t, server.url);
    const authorizer = createAuthorizer({ transport, credentials: async () => undefined });
    const registry = createRemote({ name: 'localhost', transport, authorizer });
    const digest = await digestBytes(Buffer.from('plain'));
    const path = `GET /v2/${repo}/blobs/${digest}`;
    const small = { mediaType: 'application/octet-stream', digest, size: 5 };
    for (const blob of [small, digest]) {
      const content = await registry.getBlob(repo, blob);
      await content.drainTo({ write: async () => {} });
    }
    assert.deepEqual([server.streams.filter((line) => line === path), server.plain], [[path], [path]]);
  });
});
