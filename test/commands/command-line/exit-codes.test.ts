import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { digestBytes } from '../../../src/model/digest.ts';
import { errorCodes } from '../../../src/model/errors.ts';
import { ocictl, spawnOcictl } from '../../support/command.ts';
import { startFakeServer } from '../../support/fake-server.ts';
import { pushImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { startPasswordRegistry } from '../../support/login-servers.ts';
import type { RunResult } from '../../support/process.ts';
import { projectRoot } from '../../support/project.ts';
import { sandbox } from '../../support/sandbox.ts';
import { app, imageFor, one, startPlace, until } from '../copy/places.ts';

interface Row {
  readonly status: number;
  readonly codes: readonly string[];
}

const document = await readFile(join(projectRoot, 'docs', 'exit-codes.md'), 'utf8');
const rows: readonly Row[] = [...document.matchAll(/^\| (\d+) \| [^|]+ \|([^|]*)\|$/gm)].map(
  ([, status, codes = '']) => ({
    status: Number(status),
    codes: [...codes.matchAll(/`([A-Z_]+)`/g)].map(([, code = '']) => code),
  }),
);
/** Statuses in docs/exit-codes.md besides the one of the code: they tell which signal ended the program. */
const bySignal: ReadonlySet<number> = new Set([129, 143]);

/** A command for each status, and the code in its JSON error. */
type Run = (t: TestContext) => Promise<RunResult>;

const runs: Readonly<Record<number, readonly (readonly [code: string, title: string, run: Run])[]>> = {
  0: [['', 'a command that did what it was asked', (t) => ocictl(t, ['images', '--json'])]],
  1: [
    [
      'UNSUPPORTED',
      'a registry with neither search nor catalog',
      async (t) => {
        const server = await startFakeServer(t, ({ path }, response) => {
          response.writeHead(path === '/v2/' ? 200 : 404).end();
        });
        return ocictl(t, ['search', '--json', `${server.host}/app`]);
      },
    ],
  ],
  2: [
    ['USAGE', 'an unknown flag', (t) => ocictl(t, ['pull', '--json', '--no-such-flag', 'app'])],
    ['REFERENCE_INVALID', 'a name in capitals', (t) => ocictl(t, ['pull', '--json', 'App'])],
    [
      'CONFIG_INVALID',
      'a broken configuration file',
      async (t) => {
        await writeFile((await sandbox(t)).daemonJson, '{"insecure-registries":');
        return ocictl(t, ['pull', '--json', 'app']);
      },
    ],
  ],
  3: [
    ['IMAGE_UNKNOWN', 'an image that is not in the store', (t) => ocictl(t, ['rmi', '--json', 'none'])],
    [
      'MANIFEST_UNKNOWN',
      'a tag that the registry does not have',
      async (t) => {
        const { host } = await startFilled(t);
        return ocictl(t, ['pull', '--json', `${host}/team/app:none`]);
      },
    ],
    [
      'PLATFORM_UNKNOWN',
      'a platform that the image is not for',
      async (t) => {
        const { host } = await startFilled(t);
        return ocictl(t, ['pull', '--json', '--platform', 'linux/s390x', `${host}/team/app:1`]);
      },
    ],
  ],
  4: [
    [
      'UNAUTHORIZED',
      'a registry that nobody logged in to',
      async (t) => {
        const { host } = await startPasswordRegistry(t);
        return ocictl(t, ['pull', '--json', `${host}/team/app:1`]);
      },
    ],
  ],
  5: [
    [
      'NETWORK',
      'a port where nobody listens',
      async (t) => {
        const { host, close } = await startFakeServer(t, () => {});
        close();
        return ocictl(t, ['pull', '--json', `${host}/team/app:1`]);
      },
    ],
    [
      'UNAVAILABLE',
      'a server that fails every time',
      async (t) => {
        const { host } = await startFakeServer(t, (_request, response) => response.writeHead(503).end());
        return ocictl(t, ['pull', '--json', `${host}/team/app:1`]);
      },
    ],
  ],
  6: [
    [
      'TOOMANYREQUESTS',
      'a server that asks to wait for an hour',
      async (t) => {
        const { host, proxy } = await startFilled(t);
        proxy.fail({ path: /\/manifests\//, status: 429, headers: { 'retry-after': '3600' } });
        return ocictl(t, ['pull', '--json', `${host}/team/app:1`]);
      },
    ],
  ],
  7: [
    [
      'DIGEST_MISMATCH',
      'a layer of other bytes',
      async (t) => {
        const { host, proxy, layer } = await startFilled(t);
        proxy.fail({ path: new RegExp(layer), method: 'GET', flipByteAt: 20 });
        return ocictl(t, ['pull', '--json', `${host}/team/app:1`]);
      },
    ],
    [
      'MANIFEST_INVALID',
      'a manifest that is no JSON',
      async (t) => {
        const { host, proxy } = await startFilled(t);
        const body = Buffer.from('not json');
        const headers = {
          'content-type': 'application/vnd.oci.image.manifest.v1+json',
          'docker-content-digest': await digestBytes(body),
        };
        proxy.fail({ path: /\/manifests\//, status: 200, headers, body });
        return ocictl(t, ['pull', '--json', `${host}/team/app:1`]);
      },
    ],
  ],
  8: [
    [
      'PARTLY_FAILED',
      'one image of two that is not there',
      async (t) => {
        await keepImage(t, 'app:1', await imageFor('amd64'));
        return ocictl(t, ['rmi', '--json', 'app:1', 'none']);
      },
    ],
  ],
  9: [
    [
      'REFUSED',
      'a digest without --yes',
      async (t) => {
        const { host, digest } = await startFilled(t);
        return ocictl(t, ['delete', '--json', `${host}/team/app@${digest}`]);
      },
    ],
  ],
  10: [
    [
      'STORAGE',
      'a store that is a file',
      async (t) => {
        const { store } = await sandbox(t);
        await writeFile(store, 'in the way');
        return ocictl(t, ['images', '--json']);
      },
    ],
  ],
  11: [
    [
      'UNTRUSTED',
      'an image that nobody signed',
      async (t) => {
        const { host } = await startFilled(t);
        const { home } = await sandbox(t);
        const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        await writeFile(join(home, 'key.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
        return ocictl(t, ['verify', '--json', '--key', join(home, 'key.pub'), `${host}/team/app:1`]);
      },
    ],
  ],
  12: [
    [
      '',
      'a diff of images that differ',
      async (t) => {
        await keepImage(t, 'app:1', await imageFor('amd64', ['old']));
        await keepImage(t, 'app:2', await imageFor('amd64', ['new']));
        return ocictl(t, ['diff', '--exit-code', '--json', 'app:1', 'app:2']);
      },
    ],
    [
      '',
      'a prune that would free something',
      async (t) => {
        await keepImage(t, 'app:1', await imageFor('amd64', ['old']));
        await keepImage(t, 'app:1', await imageFor('amd64', ['new']));
        return ocictl(t, ['prune', '--dry-run', '--json']);
      },
    ],
  ],
  129: [['CANCELLED', 'SIGHUP', (t) => interrupted(t, 'SIGHUP')]],
  130: [['CANCELLED', 'Ctrl-C', (t) => interrupted(t, 'SIGINT')]],
  143: [['CANCELLED', 'SIGTERM', (t) => interrupted(t, 'SIGTERM')]],
};

describe('docs/exit-codes.md', () => {
  it('has every error code in the row of its status, and no other', () => {
    const documented = rows
      .filter(({ status }) => !bySignal.has(status))
      .flatMap(({ status, codes }) => codes.map((code) => [code, status] as const));
    const known = Object.entries(errorCodes).map(([code, { exit }]) => [code, exit] as const);
    assert.deepEqual(sorted(documented), sorted(known));
    for (const { codes } of rows.filter(({ status }) => bySignal.has(status))) assert.deepEqual(codes, ['CANCELLED']);
  });

  it('has each status once, and each is tried here', () => {
    const statuses = rows.map(({ status }) => status);
    assert.deepEqual(
      statuses,
      [...new Set(statuses)].sort((a, b) => a - b),
    );
    assert.deepEqual(Object.keys(runs).map(Number), statuses);
  });

  for (const [status, tried] of Object.entries(runs)) {
    for (const [code, title, run] of tried) {
      it(`says ${status} for ${title}`, async (t) => {
        const { exitCode, stdout, stderr } = await run(t);
        assert.equal(exitCode, Number(status), stderr);
        const last = stderr.trimEnd().split('\n').at(-1) ?? '';
        if (code === '') return assert.equal(last, '');
        const { error } = JSON.parse(last) as { error: Record<string, unknown> };
        assert.deepEqual(Object.keys(error), ['code', 'message', 'hint', 'retryable', 'endpoint']);
        assert.equal(error['code'], code);
        assert.equal(
          errorCodes[code as keyof typeof errorCodes].exit,
          bySignal.has(Number(status)) ? 130 : Number(status),
        );
        // PARTLY_FAILED prints the results that succeeded.
        if (code !== 'PARTLY_FAILED') assert.equal(stdout, '');
      });
    }
  }
});

/** A registry with an image, behind a proxy that can disturb it. */
async function startFilled(t: TestContext) {
  const place = await startPlace(t);
  const image = await imageFor('amd64');
  const { digest } = await pushImage(place.registry, app, one, image);
  return { ...place, digest, layer: image.blobs[1]?.descriptor.digest ?? '' };
}

async function interrupted(t: TestContext, signal: NodeJS.Signals): Promise<RunResult> {
  const { host, proxy } = await startFilled(t);
  proxy.fail({ silent: true });
  const running = await spawnOcictl(t, ['pull', '--json', `${host}/team/app:1`]);
  await until(() => proxy.requests.length > 0);
  running.child.kill(signal);
  return running.result;
}

function sorted(pairs: readonly (readonly [string, number])[]): readonly string[] {
  return pairs.map(([code, status]) => `${code} ${status}`).sort();
}
