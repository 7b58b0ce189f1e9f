import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { issue } from '../../../certs/issue.ts';
import { ocictl, spawnServe } from '../../../support/command.ts';
import { startFakeServer } from '../../../support/fake-server.ts';
import { buildImage, buildIndex, pushImage } from '../../../support/images.ts';
import { keepImage } from '../../../support/local-store.ts';
import { startPasswordRegistry, startTokenRegistry } from '../../../support/login-servers.ts';
import { deadAddress } from '../../../support/network/ports.ts';
import type { RunResult } from '../../../support/process.ts';
import { startServe } from '../../../support/registries.ts';
import { sandbox } from '../../../support/sandbox.ts';
import { app, imageFor, one } from '../../copy/places.ts';
import { base64, writeConfig } from '../../login/stored-credentials.ts';
import { startFilled, type Tries, uncontacted } from './tries.ts';

/** The system treats this address as loopback, but the rules that trust loopback do not: the registry must use TLS. */
const strict = (host: string): string => host.replace(/^[^:]*/, '0.0.0.0');

export const registries: Tries = {
  'no such image or tag': [
    {
      run: async (t) => ocictl(t, ['pull', `${(await startFilled(t)).host}/team/app:none`]),
      error: /team\/app:none not found: manifest unknown/,
      hint: /spelling; without a login, private images/,
    },
    {
      run: async (t) => ocictl(t, ['tags', `${(await startFilled(t)).host}/team/none`]),
      error: /team\/none/,
      hint: /spelling/,
    },
    { run: (t) => ocictl(t, ['rmi', 'none']), error: /No such image: none/, hint: /ocictl images/ },
  ],
  'no image for this platform': [
    {
      run: async (t) => ocictl(t, ['pull', '--platform', 'linux/s390x', `${(await startFilled(t)).host}/team/app:1`]),
      error: /linux\/amd64 alone, not for linux\/s390x/,
      hint: /--platform/,
    },
  ],
  '`push` of a name that is not in the local store': [
    { run: (t) => uncontacted(t, ['push', '@/none']), error: /An image does not exist locally/, hint: /ocictl images/ },
  ],
  'wrong password, or a stored login that has expired': [
    {
      async run(t) {
        const { host } = await startPasswordRegistry(t);
        return ocictl(t, ['login', '-u', 'ada', '--password-stdin', host], { input: 'guessed' });
      },
      error: /failed with status: 401/,
      hint: /check the user name and the password/,
    },
    {
      async run(t) {
        const { registry } = await startTokenRegistry(t);
        await writeConfig(t, { auths: { [registry.host]: { identitytoken: 'expired' } } });
        return ocictl(t, ['login', registry.host]);
      },
      error: /refresh token has expired|expired|401/,
      hint: /--password-stdin/,
    },
    {
      async run(t) {
        const { registry } = await startTokenRegistry(t);
        await writeConfig(t, { auths: { [registry.host]: { auth: base64('ada:old') } } });
        return ocictl(t, ['pull', `${registry.host}/app`]);
      },
      error: /incorrect username or password|expired|denied/,
      hint: /ocictl login/,
    },
  ],
  '`delete --match` with patterns that match no tag': [
    {
      run: async (t) => ocictl(t, ['delete', '--yes', '--match', 'x*', `${(await startFilled(t)).host}/team/app`]),
      error: /has no tag that matches x\*/,
      hint: /ocictl tags/,
    },
  ],
  '`delete` by rules without `--yes`, and nobody can be asked or all tags would go': [
    {
      run: async (t) => ocictl(t, ['delete', '--match', '*', `${(await startFilled(t)).host}/team/app`]),
      error: /this would delete all 1 tag of/,
      hint: /--yes.*--dry-run/,
    },
  ],
  'pull access denied': [
    {
      run: async (t) => ocictl(t, ['pull', `${(await startPasswordRegistry(t)).host}/team/app`]),
      error: /unauthorized: authentication required/,
      hint: /ocictl login 127\.0\.0\.1:/,
    },
  ],
  'the registry is read-only and refuses pushes or deletes': [
    {
      run: (t) => toReadOnly(t, ['push', '@']),
      error: /takes no pushes: .*read-only/,
      hint: /another login does not help/,
    },
    {
      run: (t) => toReadOnly(t, ['copy', 'store:app:1', '@']),
      error: /takes no pushes: .*read-only/,
      hint: /another login does not help/,
    },
    {
      run: (t) => toReadOnly(t, ['delete', '@']),
      error: /takes no deletes: .*read-only/,
      hint: /another login does not help/,
    },
  ],
  'blocked by a rule of `registries.conf` or `config.yaml`': [
    {
      async run(t) {
        const directory = join((await sandbox(t)).env['XDG_CONFIG_HOME'] ?? '', 'containers');
        await mkdir(directory, { recursive: true });
        await writeFile(join(directory, 'registries.conf'), '[[registry]]\nlocation = "x.invalid"\nblocked = true\n');
        return ocictl(t, ['pull', 'x.invalid/app']);
      },
      error: /x\.invalid\/app is blocked by the rule .*registries\.conf:1/,
      hint: /no request was sent/,
    },
  ],
  'the proxy refuses, wants a password, or cannot be reached': [
    {
      run: (t) => ocictl(t, ['pull', 'x.invalid/app'], { env: { HTTPS_PROXY: 'http://127.0.0.1:1' } }),
      error: /the proxy 127\.0\.0\.1:1 \(HTTPS_PROXY\) cannot be used/,
      hint: /check HTTPS_PROXY/,
    },
  ],
  'the tag is immutable there, or another rule of the registry forbids it': [
    {
      run: (t) => pushedTo(t, 400, 'TAG_INVALID', "The image tag '1' already exists and cannot be overwritten"),
      error: /cannot be overwritten/,
      hint: /does not overwrite this tag: choose another/,
    },
    {
      run: (t) => pushedTo(t, 409, 'DENIED', 'not now'),
      error: /not now/,
      hint: /a rule of the registry forbids it/,
    },
  ],
  '`push` to a repository that the registry does not create by itself': [
    {
      run: (t) => pushedTo(t, 404, 'NAME_UNKNOWN', 'Repository "app" not found'),
      error: /app has to be created at .* before a push: Repository "app" not found/,
      hint: /create it with gcloud/,
    },
  ],
  'the registry does not support pushes, for instance a cache': [
    {
      async run(t) {
        const { host } = await startFakeServer(t, ({ method }, response) => {
          response.writeHead(method === 'GET' ? 200 : method === 'HEAD' ? 404 : 405).end();
        });
        await keepImage(t, `${host}/app:1`, await imageFor('amd64'));
        return ocictl(t, ['push', `${host}/app:1`]);
      },
      error: /405/,
      hint: /may be read-only, or a mirror of another/,
    },
  ],
  'a registry with neither search nor catalog': [
    {
      async run(t) {
        const { host } = await startFakeServer(t, ({ path }, response) => {
          response.writeHead(path === '/v2/' ? 200 : 404).end();
        });
        return ocictl(t, ['search', `${host}/app`]);
      },
      error: /offers neither a search nor a list of its repositories/,
      hint: /ocictl tags/,
    },
  ],
  'a mirror has no such image, and the registry itself cannot be reached': [
    {
      async run(t) {
        const mirror = await startServe(t);
        const dead = await deadAddress();
        const file = join((await sandbox(t)).home, 'config.yaml');
        await writeFile(file, JSON.stringify({ registries: [{ prefix: dead, mirrors: [mirror.url] }] }));
        return ocictl(t, ['pull', `${dead}/team/app:nope`], { env: { OCICTL_CONFIG: file } });
      },
      error: /^mirror \S+ has no team\/app:nope, and \S+ cannot be reached \(connection refused\)$/,
      hint: /^check the spelling; \S+ may have it: check that the registry runs/,
    },
  ],
  'no server answers, or the name does not resolve': [
    {
      run: (t) => uncontacted(t, ['pull', '@/app']),
      error: /connection refused/,
      hint: /check that the registry runs/,
    },
    { run: (t) => ocictl(t, ['pull', 'registry.invalid/app']), error: /no such host/, hint: /check the name/ },
  ],
  'certificate of an unknown authority': [
    {
      async run(t) {
        const { host } = await startFakeServer(t, (_, response) => response.end(), { tls: issue('an authority') });
        return ocictl(t, ['pull', `${strict(host)}/app`]);
      },
      error: /signed by an unknown authority/,
      hint: /certs\.d\/0\.0\.0\.0:\d+\/ca\.crt/,
    },
  ],
  'plain http where TLS was expected': [
    {
      run: async (t) => ocictl(t, ['pull', `${strict((await startServe(t)).host)}/app`]),
      error: /answered in plain http, not TLS/,
      hint: /--insecure-registry 0\.0\.0\.0:\d+/,
    },
  ],
  '429 after all retries': [
    {
      async run(t) {
        const { host, proxy } = await startFilled(t);
        proxy.fail({ path: /\/manifests\//, status: 429, headers: { 'retry-after': '3600' } });
        return ocictl(t, ['pull', `${host}/team/app:1`]);
      },
      error: /toomanyrequests: .* asks to wait 60 minutes/,
      hint: /log in .* for a higher limit/,
    },
  ],
  'an image whose manifests have more than 64 MiB in all, or that names more than 100,000 manifests and blobs': [
    {
      async run(t) {
        const { host, registry } = await startServe(t);
        const annotations = { filling: 'x'.repeat(4_000_000) };
        const layers = [{ files: { a: 'a' } }];
        const variants = Array.from({ length: 17 }, (_, at) => ({
          os: 'linux',
          architecture: 'arm',
          variant: `v${at}`,
        }));
        const children = await Promise.all(variants.map((platform) => buildImage({ platform, layers, annotations })));
        await pushImage(registry, app, one, await buildIndex(children));
        return ocictl(t, ['pull', '--platform', 'all', `${host}/team/app:1`]);
      },
      error: /too large to copy: its manifests have more than 67108864 bytes in all/,
      hint: /--platform/,
    },
  ],
  'the bytes do not match the digest': [
    {
      async run(t) {
        const { host, proxy, layer } = await startFilled(t);
        proxy.fail({ path: new RegExp(layer), method: 'GET', flipByteAt: 20 });
        return ocictl(t, ['pull', `${host}/team/app:1`]);
      },
      error: /content is sha256:.*, not sha256:.* as asked for/,
      hint: /none of them were kept/,
    },
  ],
};

/** Pushes to a registry that answers every write with this error. */
async function pushedTo(t: TestContext, status: number, code: string, message: string): Promise<RunResult> {
  const { host } = await startFakeServer(t, ({ method }, response) => {
    const isWrite = method === 'POST' || method === 'PUT';
    response.writeHead(isWrite ? status : method === 'GET' ? 200 : 404);
    response.end(isWrite ? JSON.stringify({ errors: [{ code, message }] }) : '');
  });
  await keepImage(t, `${host}/app:1`, await imageFor('amd64'));
  return ocictl(t, ['push', `${host}/app:1`]);
}

/** Runs words in which `@` is an image in a read-only registry; the store has it too. */
async function toReadOnly(t: TestContext, words: readonly string[]): Promise<RunResult> {
  const { host } = await spawnServe(t, ['--memory', '--read-only']);
  const image = await imageFor('amd64');
  await keepImage(t, 'app:1', image);
  await keepImage(t, `${host}/app:1`, image);
  return ocictl(
    t,
    words.map((word) => word.replace('@', `${host}/app:1`)),
  );
}
