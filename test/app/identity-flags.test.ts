import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../src/model/reference/reference.ts';
import { base64, installHelper, readConfig, writeConfig } from '../commands/login/stored-credentials.ts';
import { type Recorder, startRecorder } from '../service/recorder.ts';
import { ocictl } from '../support/command.ts';
import { doctor } from '../support/doctor.ts';
import { buildImage, pushImage } from '../support/images.ts';
import { ada, basic, startTokenRegistry } from '../support/login-servers.ts';
import { startServe } from '../support/registries.ts';
import { sandbox } from '../support/sandbox.ts';

const creds = `${ada.username}:${ada.password}`;

/** A registry with an image at team/app:1 that only ada may pull. */
async function startPrivate(t: TestContext): Promise<Recorder & { readonly name: string }> {
  const served = await startServe(t);
  const image = await buildImage({ layers: [{ files: { name: 'app' } }] });
  await pushImage(served.registry, parseRepositoryName('team/app'), parseTag('1'), image);
  const recorder = await startRecorder(t, { target: served.url, authorization: basic(ada) });
  return { ...recorder, name: `${recorder.host}/team/app:1` };
}

function shown({ seen }: Recorder): readonly string[] {
  return [...new Set(seen.flatMap(({ headers }) => headers.authorization ?? []))];
}

describe('credentials for one run', () => {
  it('are sent in place of stored ones, and stored nowhere', async (t) => {
    const registry = await startPrivate(t);
    const stored = { auths: { [registry.host]: { auth: base64('ada:old') } } };
    await writeConfig(t, stored);
    const pulled = await ocictl(t, ['pull', '-q', '--creds', creds, registry.name]);
    assert.deepEqual([pulled.exitCode, pulled.stdout], [0, `${registry.name}\n`], pulled.stderr);
    assert.deepEqual(shown(registry), [basic(ada)]);
    assert.deepEqual(await readConfig(t), stored);
  });

  for (const words of [['tags'], ['digest'], ['inspect', '--raw'], ['doctor'], ['delete', '--json'], ['search']]) {
    it(`are taken by ${words[0]}, the password on standard input`, async (t) => {
      const registry = await startPrivate(t);
      const name = words[0] === 'tags' || words[0] === 'search' ? registry.name.slice(0, -2) : registry.name;
      const options = ['--username', ada.username, '--password-stdin'];
      const { exitCode, stderr } = await ocictl(t, [...words, ...options, name], { input: `${ada.password}\n` });
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(shown(registry), [basic(ada)]);
    });
  }

  it('are named by doctor in place of stored ones', async (t) => {
    const { host, name } = await startPrivate(t);
    await writeConfig(t, { auths: { [host]: { auth: base64('old:old') } } });
    const told = async (...words: string[]) => (await doctor(t, [...words, name])).find('credentials')[0]?.text;
    assert.equal(await told('--creds', creds), `${ada.username}, by password, from the command line`);
    assert.match((await told('--anonymous')) ?? '', /asked anonymously$/);
    assert.match((await told()) ?? '', /^old, by password, from .*config\.json:1$/);
  });

  it('are each for its own side of a copy', async (t) => {
    const [from, to] = [await startPrivate(t), await startPrivate(t)];
    const destination = `${to.host}/other/app:2`;
    const wrong = await ocictl(t, ['copy', '-q', '--src-creds', creds, from.name, destination]);
    assert.equal(wrong.exitCode, 4, wrong.stderr);
    assert.deepEqual(shown(to), []);
    const refused = await ocictl(t, [
      'copy',
      '-q',
      '--src-creds',
      creds,
      '--dest-creds',
      'a:b',
      from.name,
      destination,
    ]);
    assert.equal(refused.exitCode, 4);
    assert.match(refused.stderr, /^error: access denied for \S+other\/app: /, 'nothing was to be pulled from there');
    assert.doesNotMatch(refused.stderr, /--anonymous/);
    const words = ['copy', '-q', '--src-creds', creds, '--dest-creds', creds, from.name, destination];
    const copied = await ocictl(t, words);
    assert.deepEqual([copied.exitCode, copied.stdout], [0, `${destination}\n`], copied.stderr);
  });

  it('push', async (t) => {
    const registry = await startPrivate(t);
    await ocictl(t, ['pull', '-q', '--creds', creds, registry.name]);
    const { exitCode, stderr } = await ocictl(t, ['push', '-q', '--creds', creds, registry.name]);
    assert.equal(exitCode, 0, stderr);
  });

  for (const [words, message] of [
    [['--creds', creds, '--username', 'a', '--password-stdin'], 'conflicting options'],
    [['--anonymous', '--username', 'a', '--password-stdin'], 'conflicting options'],
    [['--username', 'a'], 'the --username option requires --password-stdin to be set'],
    [['--password-stdin'], 'the --password-stdin option requires --username to be set'],
    [['--creds', 'hunter2'], 'the credentials given are not of the form USER:PASSWORD'],
    [['--creds', ':hunter2'], 'the credentials given are not of the form USER:PASSWORD'],
    [['--creds', 'ada:hunter2\n'], 'the password holds a line break'],
  ] as const) {
    it(`are refused as ${JSON.stringify(words)}`, async (t) => {
      const { exitCode, stdout, stderr } = await ocictl(t, ['tags', ...words, '127.0.0.1:1/app'], { input: 'x' });
      assert.deepEqual([exitCode, stdout], [2, '']);
      assert.ok(stderr.includes(message), stderr);
      assert.doesNotMatch(stderr, /hunter2/);
    });
  }
});

describe('--anonymous', () => {
  it('sends no stored credentials, and starts no helper', async (t) => {
    const registry = await startPrivate(t);
    const { PATH } = await installHelper(t, 'test');
    await writeConfig(t, { credsStore: 'test' });
    const { exitCode } = await ocictl(t, ['pull', '--anonymous', registry.name], { env: { PATH } });
    assert.equal(exitCode, 4);
    assert.deepEqual(shown(registry), []);
    await assert.rejects(readFile(join((await sandbox(t)).home, 'calls')), { code: 'ENOENT' });
  });

  it('is advised by an error if the stored login has expired and the image may be public', async (t) => {
    const { registry, tokens } = await startTokenRegistry(t);
    await writeConfig(t, { auths: { [registry.host]: { auth: base64('ada:old') } } });
    const words = ['digest', `${registry.host}/app:1`];
    const { exitCode, stderr } = await ocictl(t, words);
    assert.equal(exitCode, 4);
    assert.match(stderr, /refused the credentials from \S+config\.json:1: incorrect username or password/);
    assert.match(stderr, /hint: log in with .*; public images can be pulled without credentials, with --anonymous/);
    await ocictl(t, [...words, '--anonymous']);
    assert.equal(tokens.requests.at(-1)?.headers.authorization, undefined);
    assert.equal(registry.requests.at(-1)?.headers.authorization, 'Bearer for-anybody');
  });

  it('is advised, too, where a registry itself refuses a password', async (t) => {
    const registry = await startPrivate(t);
    await writeConfig(t, { auths: { [registry.host]: { auth: base64('ada:old') } } });
    const { exitCode, stderr } = await ocictl(t, ['pull', registry.name]);
    assert.equal(exitCode, 4);
    assert.match(stderr, /hint: the credentials from \S+config\.json:1 were used: .*--anonymous/);
  });
});
