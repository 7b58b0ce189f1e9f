import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ocictl } from '../support/command.ts';
import { sandbox } from '../support/sandbox.ts';

async function write(t: TestContext, path: string, text: string): Promise<string> {
  const file = join((await sandbox(t)).home, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

/** The values and origins of one setting in the printed table. */
function rowsOf(table: string, key: string): readonly string[] {
  return table
    .split('\n')
    .filter((line) => line.startsWith(`${key} `))
    .map((line) => line.slice(key.length).trim().replace(/ {3,}/g, ' | '));
}

describe('ocictl config show', () => {
  it('prints every setting in effect and its origin, without any secret', async (t) => {
    const own = await write(
      t,
      'config/ocictl/config.yaml',
      [
        'registry-mirrors: [https://own.example]',
        'registries:',
        '  - prefix: corp.example',
        '    mirrors:',
        '      - { location: m.example:5000/corp, insecure: true, headers: { x-token: SECRET } }',
        '    server: https://origin.example/api',
        '  - prefix: bad.example',
        '    blocked: true',
      ].join('\n'),
    );
    const containers = await write(t, 'config/containers/registries.conf', '[[registry]]\nlocation = "x.example"');
    const { dockerConfig, daemonJson, store } = await sandbox(t);
    await writeFile(daemonJson, '{\n"insecure-registries": ["10.1.2.3/8"],\n"max-concurrent-uploads": 2}');
    const auth = Buffer.from('ada:SECRET').toString('base64');
    await writeFile(
      join(dockerConfig, 'config.json'),
      JSON.stringify({
        auths: { 'ghcr.io': { auth }, 'https://u:SECRET@odd.example/?SECRET': {} },
        credHelpers: { 'quay.io': 'pass' },
        HttpHeaders: { 'X-Meta': 'SECRET' },
      }),
    );
    const env = { HTTPS_PROXY: 'http://ada:SECRET@proxy.example:3128', OCICTL_REGISTRY_MIRRORS: 'https://env.example' };
    const { exitCode, stdout, stderr } = await ocictl(t, ['config', 'show'], { env });
    assert.equal(stderr, '');
    assert.equal(exitCode, 0);
    const rows = (key: string) => rowsOf(stdout, key);
    assert.deepEqual(rows('root'), [`${store} | OCICTL_ROOT`]);
    assert.deepEqual(rows('registry-mirrors'), [
      'https://env.example/ | OCICTL_REGISTRY_MIRRORS',
      `https://own.example/ | ${own}:1`,
    ]);
    assert.deepEqual(rows('insecure-registries'), [`10.0.0.0/8 | ${daemonJson}:2`]);
    assert.deepEqual(rows('max-concurrent-uploads'), [`2 | ${daemonJson}:3`]);
    assert.deepEqual(rows('max-concurrent-downloads'), [
      '4 | blobs above 1 MiB to begin with, and up to 8 where that is faster',
    ]);
    assert.deepEqual(rows('https-proxy'), ['http://…@proxy.example:3128 | HTTPS_PROXY']);
    assert.deepEqual(rows('registries'), [
      `corp.example: mirror m.example:5000/corp (insecure, pull+resolve); server https://origin.example/api/ | ${own}:3`,
      `bad.example: blocked | ${own}:7`,
      `x.example: nothing particular | ${containers}:1`,
    ]);
    assert.match(rows('auths').join(), /ghcr\.io .*https:\/\/odd\.example\/ /);
    assert.match(rows('credHelpers').join(), /^quay\.io pass /);
    assert.match(rows('HttpHeaders').join(), /^X-Meta /);
    const json = await ocictl(t, ['config', 'show', '--json'], { env });
    for (const text of [stdout, json.stdout]) assert.doesNotMatch(text, /SECRET|YWRhO/);
    const settings = JSON.parse(json.stdout);
    assert.equal(settings['http-proxy'], null);
    assert.deepEqual(settings['max-concurrent-uploads'], {
      value: 2,
      origin: { kind: 'file', name: daemonJson, line: 3 },
    });
    assert.equal(settings['registries'][0].value.mirrors[0].repositoryPrefix, 'corp');
    assert.deepEqual(settings['registries'][0].value.mirrors[0].headers, ['x-token']);
    assert.equal(settings['registries'][0].origin.line, 3);
  });

  it('fails with file, line and column of a fault', async (t) => {
    const file = await write(t, 'config/ocictl/config.yaml', 'root: a\nregistry-mirror: [a]\n');
    const { exitCode, stdout, stderr } = await ocictl(t, ['config', 'show']);
    assert.equal(exitCode, 2);
    assert.equal(stdout, '');
    assert.match(stderr, new RegExp(`${file}:2:1: unknown key "registry-mirror"\\n.*registry-mirrors`));
  });
});

describe('ocictl config path', () => {
  it('prints where settings are looked for, and whether they are read', async (t) => {
    const own = await write(t, 'elsewhere.yaml', 'root: /x');
    const { home, daemonJson, dockerConfig } = await sandbox(t);
    const { exitCode, stdout, stderr } = await ocictl(t, ['config', 'path'], { env: { OCICTL_CONFIG: own } });
    assert.equal(stderr, '');
    assert.equal(exitCode, 0);
    assert.deepEqual(rowsOf(stdout, 'config.yaml'), [`${own} | read, named by OCICTL_CONFIG`]);
    assert.deepEqual(rowsOf(stdout, 'daemon.json'), [`${daemonJson} | read, named by OCICTL_DAEMON_JSON`]);
    assert.deepEqual(rowsOf(stdout, 'config.json'), [`${join(dockerConfig, 'config.json')} | read`]);
    assert.equal(rowsOf(stdout, 'registries.conf')[0], `${home}/config/containers/registries.conf | absent`);
    const { stdout: json } = await ocictl(t, ['config', 'path', '--json']);
    assert.deepEqual(JSON.parse(json)[0], {
      purpose: 'config.yaml',
      file: `${home}/config/ocictl/config.yaml`,
      state: 'absent',
    });
  });

  it('prints them all even where one is wrong, and fails', async (t) => {
    const own = await write(t, 'config/ocictl/config.yaml', 'root: [');
    const { daemonJson } = await sandbox(t);
    await writeFile(daemonJson, '{');
    const { exitCode, stdout, stderr } = await ocictl(t, ['config', 'path']);
    assert.equal(exitCode, 2);
    for (const key of ['config.yaml', 'daemon.json', 'registries.conf', 'config.json']) {
      assert.notEqual(rowsOf(stdout, key).length, 0, key);
    }
    assert.ok(stderr.includes(`${own}:1:`) && stderr.includes(`${daemonJson}:1:`), stderr);
  });
});

describe('ocictl config', () => {
  it('can do nothing else', async (t) => {
    const { exitCode, stdout, stderr } = await ocictl(t, ['config', 'edit']);
    assert.equal(exitCode, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /config has no action "edit"\n.*show and path/);
    assert.equal((await ocictl(t, ['config'])).exitCode, 2);
  });
});

describe('commands that reach no registry', () => {
  it('take the store from config.yaml, and are not stopped by files about registries', async (t) => {
    const { home } = await sandbox(t);
    await write(t, 'config/ocictl/config.yaml', 'root: ~/mine');
    await write(t, 'config/containers/registries.conf', 'not toml');
    const { exitCode, stdout, stderr } = await ocictl(t, ['version', '--json'], { env: { OCICTL_ROOT: '' } });
    assert.equal(exitCode, 0, stderr);
    assert.equal(JSON.parse(stdout).store, join(home, 'mine'));
    const pull = await ocictl(t, ['pull', 'localhost:1/x']);
    assert.equal(pull.exitCode, 2);
    assert.match(pull.stderr, /registries\.conf:1:\d+: not valid TOML/);
  });
});
