import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { OciError } from '../../../src/model/errors.ts';
import { ada, basic } from '../../support/login-servers.ts';
import { inOwnNetwork } from '../../support/network/own-network.ts';
import { sandbox } from '../../support/sandbox.ts';
import { open } from '../opened.ts';
import { during, run, startOutside } from './runs.ts';

inOwnNetwork(import.meta.url, () => {
  describe('a registry whose challenge is known', () => {
    it('gets the login with the first request, where it asks for a password', async (t) => {
      const { registry } = await startOutside(t, () => 'Basic realm="r"');
      assert.deepEqual(await during([registry], () => run(t, registry.host)), ['GET', 'GET basic', 'ok']);
      assert.deepEqual(await during([registry], () => run(t, registry.host)), ['GET basic', 'ok']);
      const anonymous = () => run(t, registry.host, { identity: 'anonymous' });
      assert.deepEqual(await during([registry], anonymous), ['GET', 'UNAUTHORIZED']);
      assert.deepEqual(await during([registry], () => run(t, registry.host, { fresh: true })), [
        'GET',
        'GET basic',
        'ok',
      ]);
    });

    it('gets a token with the first request, which is asked for at once', async (t) => {
      const { registry, tokens } = await startOutside(
        t,
        (url) => `Bearer realm="${url}token",service="s",scope="x:y:z"`,
      );
      const both = [tokens, registry];
      assert.deepEqual(await during(both, () => run(t, registry.host)), ['TOKEN basic', 'GET', 'GET t0', 'ok']);
      assert.deepEqual(await during(both, () => run(t, registry.host)), ['TOKEN basic', 'GET t1', 'ok']);
      assert.deepEqual(tokens.requests.at(-1)?.query.getAll('scope'), ['repository:team/app:pull']);
      assert.equal(tokens.requests.at(-1)?.query.get('service'), 's');
      const anonymous = () => run(t, registry.host, { identity: 'anonymous' });
      assert.deepEqual(await during(both, anonymous), ['TOKEN', 'GET t2', 'ok']);
    });

    it('is connected to while the token is asked for', async (t) => {
      const { registry, tokens, gate } = await startOutside(t, (url) => `Bearer realm="${url}token",service="s"`);
      assert.equal(await run(t, registry.host), 'ok');
      const before = registry.connections;
      const deadlineMs = Date.now() + 30_000;
      gate.pass = async () => {
        while (registry.connections === before && Date.now() < deadlineMs) await setTimeout(5);
      };
      assert.deepEqual(await during([tokens, registry], () => run(t, registry.host)), ['TOKEN basic', 'GET t1', 'ok']);
      assert.equal(registry.connections, before + 1);
      assert.ok(Date.now() < deadlineMs, 'the token came first');
    });

    it('gets the token of an earlier run, where tokens are kept', async (t) => {
      const { registry, tokens } = await startOutside(t, (url) => `Bearer realm="${url}token",service="s"`);
      const tokenDirectory = join((await sandbox(t)).home, 'run');
      const again = () => run(t, registry.host, { tokenDirectory });
      assert.deepEqual(await during([tokens, registry], again), ['TOKEN basic', 'GET', 'GET t0', 'ok']);
      assert.deepEqual(await during([tokens, registry], again), ['GET t0', 'ok']);
    });

    it('is known by a login', async (t) => {
      const { registry, behaviour } = await startOutside(t, () => 'Basic realm="r"');
      const cacheDirectory = join((await sandbox(t)).home, 'cache');
      const login = async (password: string) => {
        const { service } = await open(t, { cacheDirectory });
        const credential = { kind: 'password', username: ada.username, password, source: 'the test' } as const;
        const result = await service.auth(registry.host, credential).catch(({ code }: OciError) => ({ status: code }));
        await service.close();
        return result.status;
      };
      behaviour.allowed = () => false;
      assert.deepEqual(await during([registry], () => login('wrong')), ['GET', 'GET basic', 'UNAUTHORIZED']);
      behaviour.allowed = (authorization) => authorization === basic(ada);
      assert.deepEqual(await during([registry], () => login(ada.password)), ['GET', 'GET basic', 'Login Succeeded']);
      assert.deepEqual(await during([registry], () => run(t, registry.host)), ['GET basic', 'ok']);
    });

    it('is known by what holds no secret: neither user, nor password, nor token, nor query', async (t) => {
      const { registry, tokens, behaviour } = await startOutside(t, (url) => `Bearer realm="${url}token",service="s"`);
      await run(t, registry.host);
      const { home } = await sandbox(t);
      const directory = join(home, 'cache', 'hosts');
      const name = `https_${registry.host.replace(':', '_')}.json`;
      const names = await readdir(directory);
      const text = (await Promise.all(names.map((each) => readFile(join(directory, each), 'utf8')))).join('');
      assert.match(text, /Bearer realm/);
      for (const secret of [ada.username, ada.password, 't0', 'repository', 'team']) assert.ok(!text.includes(secret));
      behaviour.challenge = `Bearer realm="${tokens.url}token?key=s3cret",service="s"`;
      behaviour.allowed = (authorization) => authorization === 'Bearer t2';
      await run(t, registry.host);
      assert.doesNotMatch(await readFile(join(directory, name), 'utf8'), /s3cret|Bearer/);
      assert.deepEqual((await during([registry], () => run(t, registry.host)))[0], 'GET');
    });
  });

  describe('a host that need not have a valid certificate', () => {
    it('is shown a login after its challenge alone, over TLS and without', async (t) => {
      const { registry } = await startOutside(t, () => 'Basic realm="r"');
      const daemon = { 'insecure-registries': [registry.host] };
      for (const _ of [1, 2]) {
        assert.deepEqual(await during([registry], () => run(t, registry.host, { daemon })), ['GET', 'GET basic', 'ok']);
      }
    });

    it('teaches nothing about the host whose certificate is valid', async (t) => {
      const { registry } = await startOutside(t, () => 'Basic realm="r"');
      await run(t, registry.host, { daemon: { 'insecure-registries': [registry.host] } });
      assert.deepEqual(await during([registry], () => run(t, registry.host)), ['GET', 'GET basic', 'ok']);
    });
  });

  describe('a cache directory that cannot be used', () => {
    it('costs a request, and nothing else', async (t) => {
      const { registry } = await startOutside(t, () => 'Basic realm="r"');
      const directory = join((await sandbox(t)).home, 'shared');
      await mkdir(join(directory, 'hosts'), { recursive: true, mode: 0o777 });
      const notes: string[] = [];
      const asked = () => run(t, registry.host, { cacheDirectory: directory, trace: (line) => void notes.push(line) });
      for (const _ of [1, 2]) assert.deepEqual(await during([registry], asked), ['GET', 'GET basic', 'ok']);
      const told = notes.filter((line) => line.includes('is not kept'));
      assert.equal(told.length, 2);
      assert.match(told[0] ?? '', /shared\/hosts is open to other users$/);
    });
  });
});
