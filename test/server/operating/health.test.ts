import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { OciError } from '../../../src/model/errors.ts';
import { type ExtensionKey, storageCheck } from '../../../src/registry/extensions.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { readOnly } from '../../../src/registry/wrappers/read-only.ts';
import { Readiness } from '../../../src/server/operating/readiness.ts';
import { openFilesystemDriver } from '../../../src/storage/drivers/filesystem.ts';
import { createStorage } from '../../../src/storage/storage.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';
import { ask, startServer } from '../client.ts';

/** A registry whose storage is asked by this function. */
function checkedBy(check: () => Promise<void>): Registry {
  const inner = memoryRegistry();
  const extension = <T>(key: ExtensionKey<T>) => (key === storageCheck ? ({ check } as T) : inner.extension(key));
  return { ...inner, extension };
}

describe('/livez and /readyz', () => {
  it('answer everybody, uncached, also where a login is needed', async (t) => {
    const server = await startServer(t, { authorize: async () => ({ outcome: 'deny' }) });
    for (const path of ['/livez', '/readyz']) {
      const { status, headers, body } = await ask(server, 'GET', path);
      assert.deepEqual([status, headers['cache-control']], [200, 'no-store'], path);
      assert.equal(body.toString(), '{"status":"ok"}\n');
      assert.equal((await ask(server, 'HEAD', path)).status, 200);
      const refused = await ask(server, 'POST', path);
      assert.deepEqual([refused.status, refused.headers.allow], [405, 'GET, HEAD']);
    }
    assert.equal((await ask(server, 'GET', '/v2/')).status, 403);
  });

  it('say 503 where the directory is gone, without its name; nothing else is refused for that', async (t) => {
    const root = join(await temporaryDirectory(t), 'images');
    const at = await temporaryDirectory(t, join(root, '..'));
    await rename(at, root);
    const registry = createStorage({ driver: await openFilesystemDriver({ root }), name: 'images' });
    const server = await startServer(t, { registry: readOnly(registry) });
    await rename(root, `${root}-away`);
    const { status, body } = await ask(server, 'GET', '/readyz');
    assert.equal(status, 503);
    const reason = 'the storage cannot be used';
    assert.deepEqual(JSON.parse(body.toString()), { status: 'unavailable', code: 'STORAGE', reason });
    assert.match(String(server.log[0]?.error), /images/);
    assert.equal((await ask(server, 'GET', '/livez')).status, 200);
    assert.equal((await ask(server, 'GET', '/v2/')).status, 200);
    // The answer is kept, and logged once.
    assert.equal((await ask(server, 'GET', '/readyz')).status, 503);
    assert.equal(server.log.at(-1)?.error, undefined);
  });

  it('ask the storage once for all who ask within ten seconds', async (t) => {
    let asked = 0;
    const check = async (): Promise<void> => {
      asked += 1;
    };
    const server = await startServer(t, { registry: checkedBy(check) });
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(server, 'GET', '/readyz')));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    await ask(server, 'GET', '/readyz');
    assert.equal(asked, 1);
  });
});

describe('readiness', () => {
  it('is lost while the storage does not answer, which is not asked again meanwhile', async () => {
    let asked = 0;
    let answer = (): void => {};
    const check = (): Promise<void> => {
      asked += 1;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const readiness = new Readiness(check, { freshMs: 0, limitMs: 10 });
    const both = await Promise.all([readiness.ask(), readiness.ask()]);
    assert.deepEqual(
      both.map((found) => found?.code),
      ['TIMEOUT', 'TIMEOUT'],
    );
    assert.equal((await readiness.ask())?.reason, 'the storage does not answer');
    assert.equal(asked, 1);
    answer();
    await new Promise(setImmediate);
    const again = readiness.ask();
    answer();
    assert.equal(await again, undefined);
    assert.equal(asked, 2);
  });

  it('comes back with the storage', async () => {
    let broken = true;
    const check = async (): Promise<void> => {
      if (broken) throw new OciError('STORAGE_DENIED', 'no right to read /secret/place');
    };
    const readiness = new Readiness(check, { freshMs: 0 });
    const found = await readiness.ask();
    assert.deepEqual([found?.code, found?.reason], ['STORAGE_DENIED', 'the storage cannot be used']);
    broken = false;
    assert.equal(await readiness.ask(), undefined);
  });
});
