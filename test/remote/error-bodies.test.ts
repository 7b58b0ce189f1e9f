import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag } from '../../src/model/reference/reference.ts';
import { fails, fakeRegistry, repo } from './fake-registry.ts';

const enough = 64 * 1024 * 1024;

describe('the explanation of an error', () => {
  it('is given up where it has no end, and the error is told', async (t) => {
    let sent = 0;
    const { registry } = await fakeRegistry(t, (_, response) => {
      response.writeHead(403, { 'content-type': 'application/json' });
      const write = (): void => {
        while (!response.destroyed && sent < enough) {
          sent += 65_536;
          if (!response.write(Buffer.alloc(65_536, 0x78))) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    });
    await assert.rejects(registry.getManifest(repo, parseTag('latest')), fails('DENIED'));
    assert.ok(sent < enough / 2, `${sent} bytes were taken`);
  });
});
