/** Failures of the machine, and situations that are not failures. */
import { appendFile, mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { blobFile } from '../../../storage/stores.ts';
import { ocictl, spawnOcictl, spawnServe } from '../../../support/command.ts';
import { homeless, mayBeNobody } from '../../../support/homeless.ts';
import { buildImage, pushImage } from '../../../support/images.ts';
import { randomLayer } from '../../../support/layer.ts';
import { keepImage } from '../../../support/local-store.ts';
import { startTokenRegistry } from '../../../support/login-servers.ts';
import { deadAddress } from '../../../support/network/ports.ts';
import type { RunResult } from '../../../support/process.ts';
import { smallDisk } from '../../../support/programs/small-disk.ts';
import { startServe } from '../../../support/registries.ts';
import { sandbox } from '../../../support/sandbox.ts';
import { app, imageFor, one, until } from '../../copy/places.ts';
import { writeConfig } from '../../login/stored-credentials.ts';
import { inShell, startFilled, type Tries, type Try } from './tries.ts';

export const machine: Tries = {
  'disk full': [
    {
      async run(t) {
        const store = await smallDisk(t, 4e6);
        if (store === undefined) return undefined;
        const { host, registry } = await startServe(t);
        await pushImage(registry, app, one, await buildImage({ layers: [await randomLayer(8e6, 'large')] }));
        return ocictl(t, ['pull', `${host}/team/app:1`], { env: { OCICTL_ROOT: store } });
      },
      error: /no space is left/,
      hint: /free some space.*is kept/,
    },
  ],
  'not enough memory, as under `ulimit -v` or in a small container': [
    {
      async run(t) {
        // Later versions reserve less memory for WebAssembly, and with too little they end without a message.
        if (Number(process.versions.node.split('.')[0]) > 20) {
          t.skip('this Node gets by with less');
          return undefined;
        }
        const { host } = await startFilled(t);
        // WebAssembly parses the answers to writes.
        return inShell(t, `ulimit -v 2000000; ocictl copy '${host}/team/app:1' '${host}/team/other:1'`);
      },
      error: /not enough memory to talk to 127\.0\.0\.1/,
      hint: /ulimit -v/,
    },
  ],
  'store not writable': [
    {
      run: async (t) =>
        ocictl(t, ['pull', `${(await startFilled(t)).host}/team/app:1`], { env: { OCICTL_ROOT: '/sys/ocictl' } }),
      error: /\/sys\/ocictl/,
      hint: /OCICTL_ROOT/,
    },
  ],
  'no home directory for the store, as in containers of OpenShift': [
    {
      run: async (t) => ((await mayBeNobody(t)) ? homeless(t, ['images']) : undefined),
      error: /this user has no home directory/,
      hint: /OCICTL_ROOT/,
    },
  ],
  'the store is a file, or lies below one': ['', '/below'].map((below) => ({
    async run(t) {
      const file = join((await sandbox(t)).home, 'file');
      await writeFile(file, '');
      return ocictl(t, ['pull', `${(await startFilled(t)).host}/team/app:1`], { env: { OCICTL_ROOT: file + below } });
    },
    error: /file.* (?:is not a directory|is a file, not a directory)$/m,
    hint: /OCICTL_ROOT/,
  })),
  'a blob or manifest of the store is damaged or missing': [
    {
      async run(t) {
        await keepImage(t, 'app:1', await imageFor('amd64'));
        const { store } = await sandbox(t);
        const blobs = (await readdir(store, { recursive: true })).filter((path) => path.endsWith('/data'));
        for (const path of blobs) await appendFile(join(store, path), ' ');
        return ocictl(t, ['copy', 'store:app:1', 'oci:layout']);
      },
      error: /is damaged|, not manifest/,
      hint: /ocictl pull/,
    },
  ],
  '`scrub` found damaged or missing content, or `scrub --repair` could not fetch it': [
    {
      async run(t) {
        await keepImage(t, `${await deadAddress()}/app:1`, await imageFor('amd64'));
        const { store } = await sandbox(t);
        const blobs = (await readdir(store, { recursive: true })).filter((path) => path.endsWith('/data'));
        for (const path of blobs) await appendFile(join(store, path), ' ');
        return ocictl(t, ['scrub', '--repair']);
      },
      error: /damaged or missing, and could not be repaired/,
      hint: /reasons are above/,
    },
  ],
  'a tag of the store is damaged': [
    {
      async run(t) {
        const repo = await keepImage(t, 'app:1', await imageFor('amd64'));
        const tags = join((await sandbox(t)).store, 'docker/registry/v2/repositories', repo, '_manifests/tags');
        await writeFile(join(tags, '1/current/link'), 'garbage');
        return ocictl(t, ['copy', 'store:app:1', 'oci:layout']);
      },
      error: /does not hold a digest/,
      hint: /ocictl pull/,
    },
  ],
  "`storage fsck` found damage in a registry's store, or `--repair` could not repair all of it": [
    {
      run: async (t) => ocictl(t, ['storage', 'fsck', '--root', await damagedRegistry(t)]),
      error: /1 fault in /,
      hint: /--repair removes what points at nothing; with --from REGISTRY/,
    },
  ],
  '`storage copy` found damaged blobs in the source': [
    {
      run: async (t) => ocictl(t, ['storage', 'copy', await damagedRegistry(t), 'copied']),
      error: /1 damaged blob of the source was not copied/,
      hint: /ocictl storage fsck --bytes/,
    },
  ],
  '`storage gc` of a directory that holds no registry': [
    {
      run: async (t) => ocictl(t, ['storage', 'gc', '--root', (await sandbox(t)).home]),
      error: /holds no registry/,
      hint: /serve has as --root/,
    },
  ],
  'stdout cannot be written to, for instance a file on a full disk': [
    {
      run: (t) => toFullDevice(t, ['serve', '--memory', '--addr', '127.0.0.1:0']),
      error: /cannot write the result/,
      hint: /room there/,
    },
    {
      run: (t) => toFullDevice(t, ['version']),
      error: /cannot write the result to stdout: no space/,
      hint: /room there/,
    },
    { run: (t) => toFullDevice(t, ['--version']), error: /cannot write the result/, hint: /room there/ },
    { run: (t) => toFullDevice(t, ['pull', '--help']), error: /cannot write the result/, hint: /room there/ },
    {
      run: async (t) => toFullDevice(t, ['pull', `${(await startFilled(t)).host}/team/app:1`]),
      error: /cannot write the result/,
      hint: /room there/,
    },
  ],
  'the current directory was deleted': [
    { run: (t) => fromNowhere(t, ['inspect', 'oci:layout']), error: /current directory was deleted/, hint: /exists/ },
  ],
  'Ctrl-C': [
    {
      async run(t) {
        const { host, proxy } = await startFilled(t);
        proxy.fail({ silent: true, path: /\/blobs\// });
        const running = await spawnOcictl(t, ['pull', `${host}/team/app:1`]);
        await until(() => proxy.requests.some(({ path }) => path.includes('/blobs/')));
        running.child.kill('SIGINT');
        return running.result;
      },
      error: /interrupted/,
      hint: /continues from there/,
    },
  ],
};

/** Situations that the document does not count as failures: commands that end with 0, and their stderr. */
export const harmless: Readonly<Record<string, readonly Omit<Try, 'hint'>[]>> = {
  'the reader of stdout ends early, as in `… \\| head -1`': [
    {
      async run(t) {
        const { host } = await startFilled(t);
        return intoHead(t, `tags ${host}/team/app`);
      },
      error: /^$/,
    },
    { run: (t) => intoHead(t, 'completion zsh'), error: /^$/ },
    { run: (t) => intoHead(t, '--version'), error: /^$/ },
    {
      async run(t) {
        const { host } = await startFilled(t);
        return intoHead(t, `pull ${host}/team/app:1`);
      },
      error: /^(?!.*error)/s,
    },
  ],
  'a credential helper fails, and the image is public': [
    {
      async run(t) {
        await writeConfig(t, { credsStore: 'nowhere' });
        const { host, proxy } = await startFilled(t);
        const { tokens } = await startTokenRegistry(t);
        const challenge = `Bearer realm="${tokens.url}token",service="registry.test"`;
        const without = { authorization: 'Bearer for-anybody' };
        proxy.fail({ without, status: 401, headers: { 'www-authenticate': challenge } });
        return ocictl(t, ['pull', '--quiet', `${host}/team/app:1`]);
      },
      error: /^warning: docker-credential-nowhere is not on PATH; continuing without credentials: [^\n]*\n$/,
    },
  ],
  'Ctrl-C or SIGTERM for `ocictl serve`': (['SIGINT', 'SIGTERM'] as const).map((signal) => ({
    async run(t) {
      const server = await spawnServe(t, ['--memory']);
      server.child.kill(signal);
      return server.result;
    },
    error: /stopping, after the requests that are under way/,
  })),
  '`logout` where nothing is stored, `rmi --force` of what is not there': [
    { run: (t) => ocictl(t, ['logout', 'registry.invalid']), error: /^$/ },
    { run: (t) => ocictl(t, ['rmi', '--force', 'none']), error: /^$/ },
  ],
};

async function toFullDevice(t: TestContext, words: readonly string[]): Promise<RunResult | undefined> {
  const device = await open('/dev/full', 'w').catch(() => undefined);
  await device?.close();
  if (device) return inShell(t, `ocictl ${words.join(' ')} > /dev/full`);
  t.skip('needs /dev/full');
  return undefined;
}

/** The status is the command's, not that of its reader, which reads at most one line. */
function intoHead(t: TestContext, words: string): Promise<RunResult> {
  return inShell(t, `ocictl ${words} | head -1 > /dev/null; exit "\${PIPESTATUS[0]}"`);
}

async function fromNowhere(t: TestContext, words: readonly string[]): Promise<RunResult> {
  const cwd = join((await sandbox(t)).home, 'gone');
  await mkdir(cwd);
  return inShell(t, `rmdir ../gone && ocictl ${words.join(' ')}`, { cwd });
}

/** The local store as a registry's, with a blob that was cut short. */
async function damagedRegistry(t: TestContext): Promise<string> {
  const image = await imageFor('amd64');
  await keepImage(t, 'app:1', image);
  const { store } = await sandbox(t);
  await writeFile(blobFile(store, (image.blobs[0] ?? image).descriptor.digest), 'x');
  return store;
}
