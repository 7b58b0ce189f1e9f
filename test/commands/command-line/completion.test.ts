import assert from 'node:assert/strict';
import { access, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { defineCommand, flag, list, value } from '../../../src/commands/command-line/command.ts';
import { type Completable, completableOf } from '../../../src/commands/completion/completable.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { keepImage } from '../../support/local-store.ts';
import { ada, basic } from '../../support/login-servers.ts';
import { projectRoot } from '../../support/project.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox } from '../../support/sandbox.ts';

const sample = defineCommand({
  name: 'sample',
  summary: 'A sample',
  description: '',
  arguments: [
    { label: 'IMAGE', summary: 'One', arity: 'one', completes: 'image' },
    { label: 'KIND', summary: 'Two', arity: 'optional', choices: ['a', 'b'] },
  ],
  options: {
    config: flag('--config', 'Of the image'),
    out: value('-o, --output <file>', 'Where to'),
    into: value('--into <dir>', 'Where to'),
    platform: list('--platform <os/arch>', 'Which'),
    format: value('--format <template>', 'How', { choices: ['json'] }),
    name: value('--name <name>', 'What'),
  },
  examples: [],
  run: async () => {},
});

const offered = (completable: Completable, long: string) =>
  completable.commands[0]?.options.find((option) => option.long === long)?.value?.completes;

describe('completion in a shell', () => {
  const completable = completableOf([sample]);

  it('is the commands, and help with their names', () => {
    assert.deepEqual(
      completable.commands.map(({ name }) => name),
      ['sample', 'help'],
    );
    assert.deepEqual(completable.commands[1]?.arguments[0]?.completes, { kind: 'words', words: ['sample', 'help'] });
  });

  it('is the global options anywhere, but not where a command means something else by the word', () => {
    assert.ok(completable.options.find(({ long }) => long === '--config')?.value);
    const own = completable.commands[0]?.options.filter(({ long }) => long === '--config');
    assert.deepEqual(
      own?.map((option) => option.value),
      [undefined],
    );
    assert.ok(completable.commands[0]?.options.some(({ long }) => long === '--verbose'));
  });

  it('offers files, directories, platforms and choices as help names them', () => {
    assert.deepEqual(offered(completable, '--output'), { kind: 'file' });
    assert.deepEqual(offered(completable, '--into'), { kind: 'directory' });
    assert.deepEqual(offered(completable, '--format'), { kind: 'words', words: ['json'] });
    assert.deepEqual(offered(completable, '--name'), { kind: 'nothing' });
    assert.equal(offered(completable, '--platform')?.kind, 'list');
  });

  it('is images and choices as arguments', () => {
    assert.deepEqual(
      completable.commands[0]?.arguments.map(({ completes }) => completes),
      [{ kind: 'image' }, { kind: 'words', words: ['a', 'b'] }],
    );
  });
});

describe('ocictl completion', () => {
  for (const [shell, file] of [
    ['bash', 'ocictl.bash'],
    ['zsh', '_ocictl'],
    ['fish', 'ocictl.fish'],
  ] as const) {
    it(`prints the script for ${shell}`, async (t) => {
      const { exitCode, stdout, stderr } = await ocictl(t, ['completion', shell]);
      assert.deepEqual([exitCode, stderr], [0, '']);
      assert.equal(stdout, await readFile(join(projectRoot, 'completions', file), 'utf8'));
    });
  }

  it('refuses a shell that it does not know, and names those it does', async (t) => {
    const { exitCode, stdout, stderr } = await ocictl(t, ['completion', 'constructor']);
    assert.deepEqual([exitCode, stdout], [2, '']);
    assert.match(stderr, /no completion for the shell "constructor"\nhint: there is one for bash, zsh, fish/);
  });
});

describe('the names of local images', () => {
  it('are listed as they are typed, from the store alone', async (t) => {
    const { registry, host } = await startServe(t);
    const image = await buildImage({ layers: [{ files: { a: 'a' } }] });
    await pushImage(registry, parseRepositoryName('team/app'), parseTag('v1'), image);
    await ocictl(t, ['pull', `${host}/team/app:v1`]);
    const { exitCode, stdout } = await ocictl(t, ['__complete', 'images']);
    assert.deepEqual([exitCode, stdout], [0, `${host}/team/app:v1\n`]);
  });

  it('are listed beside a settings file that cannot be read', async (t) => {
    await keepImage(t, 'app:v1', await buildImage({ layers: [] }));
    const { home } = await sandbox(t);
    await mkdir(join(home, '.docker'), { recursive: true });
    await writeFile(join(home, '.docker', 'config.json'), '{');
    for (const word of ['', 'registry.example/app:']) {
      const { exitCode, stdout, stderr } = await ocictl(t, ['__complete', 'images', word], { ownProcess: true });
      assert.deepEqual([exitCode, stdout, stderr], [0, 'app:v1\n', '']);
    }
  });

  it('are an empty list without a store', async (t) => {
    assert.deepEqual((await ocictl(t, ['__complete', 'images'])).stdout, '');
  });
});

describe('the tags of a repository', () => {
  const tagged = async (t: TestContext, tags: readonly string[]) => {
    const { registry, url } = await startServe(t);
    const image = await buildImage({ layers: [] });
    for (const tag of tags) await pushImage(registry, parseRepositoryName('team/app'), parseTag(tag), image);
    const proxy = await startFaultProxy(t, url);
    const complete = async (word: string, env: Readonly<Record<string, string>> = {}): Promise<string> => {
      const { stdout, stderr, exitCode } = await ocictl(t, ['__complete', 'images', word], { env, ownProcess: true });
      assert.deepEqual([exitCode, stderr], [0, '']);
      return stdout;
    };
    /** On a machine that is too busy for an answer in time, it is asked again, without what is kept. @returns The answer, and where it is kept. */
    const listed = async (word: string, env: Readonly<Record<string, string>> = {}) => {
      for (let nth = 0; ; nth += 1) {
        const cache = { ...env, XDG_CACHE_HOME: join((await sandbox(t)).home, `cache-${nth}`) };
        const text = await complete(word, cache);
        if (text !== '' || nth === 20) return { text, cache };
      }
    };
    return { proxy, name: `${proxy.host}/team/app`, complete, listed };
  };

  it('are listed for a reference up to its tag, once for a minute', async (t) => {
    const { proxy, name, complete, listed } = await tagged(t, ['v1', 'v2']);
    const both = `${name}:v1\n${name}:v2\n`;
    const { text, cache } = await listed(`${name}:`);
    assert.equal(text, both);
    const asked = proxy.count(/tags/);
    assert.equal(await complete(`${name}:v`, cache), both);
    assert.equal(proxy.count(/tags/), asked);
  });

  it('are not asked for without a colon, by digest, where a port may follow, or for a place', async (t) => {
    const { proxy, name, complete } = await tagged(t, ['v1']);
    for (const word of ['', name, `${name}@sha256:`, proxy.host, 'localhost:', 'oci:dir', `${name}:v1:`]) {
      assert.equal(await complete(word), '');
    }
    assert.equal(proxy.requests.length, 0);
  });

  it('are not asked for with OCICTL_COMPLETION or completion in config.yaml set to local', async (t) => {
    const { proxy, name, complete } = await tagged(t, ['v1']);
    assert.equal(await complete(`${name}:`, { OCICTL_COMPLETION: 'local' }), '');
    const { home } = await sandbox(t);
    const file = join(home, 'own.yaml');
    await writeFile(file, 'completion: local\n');
    assert.equal(await complete(`${name}:`, { OCICTL_CONFIG: file }), '');
    const shown = await ocictl(t, ['config', 'show'], { env: { OCICTL_CONFIG: file } });
    assert.match(shown.stdout, /^completion +local +.*own\.yaml:1$/m);
    assert.equal(proxy.requests.length, 0);
  });

  it('are none of a registry that says nothing, and it is not asked again soon', async (t) => {
    const { proxy, name, complete } = await tagged(t, ['v1']);
    // A busy machine may have no time to ask, or need longer for the second run than a silent registry is left alone.
    for (let nth = 0; nth < 20; nth += 1) {
      const cache = { XDG_CACHE_HOME: join((await sandbox(t)).home, `cache-${nth}`) };
      const before = proxy.requests.length;
      proxy.fail({ silent: true });
      const startedAt = performance.now();
      assert.equal(await complete(`${name}:`, cache), '');
      const { length } = proxy.requests;
      if (length === before) continue;
      proxy.heal();
      const shown = await complete(`${name}:`, cache);
      if (performance.now() - startedAt > 15_000) continue;
      assert.equal(shown, '');
      assert.equal(proxy.requests.length, length);
      return;
    }
    assert.fail('the registry was never asked');
  });

  it('are none of a registry that refuses, and nothing is said', async (t) => {
    const { proxy, name, complete } = await tagged(t, ['v1']);
    proxy.fail({ status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } });
    assert.equal(await complete(`${name}:`), '');
  });

  it('are asked for with a stored login, and with none of a helper', async (t) => {
    const { proxy, name, complete, listed } = await tagged(t, ['v1']);
    proxy.fail({
      without: { authorization: basic(ada) },
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="x"' },
    });
    const { dockerConfig, home, env } = await sandbox(t);
    const helper = join(home, 'docker-credential-asking');
    await writeFile(
      helper,
      `#!/bin/sh\ntouch '${join(home, 'asked')}'\necho '{"Username":"ada","Secret":"correct horse"}'\n`,
    );
    await chmod(helper, 0o755);
    const config = (content: object): Promise<void> =>
      writeFile(join(dockerConfig, 'config.json'), JSON.stringify(content));
    await config({ credsStore: 'asking' });
    const path = { PATH: `${home}:${env['PATH']}` };
    assert.equal(await complete(`${name}:`, path), '');
    await assert.rejects(access(join(home, 'asked')));
    await config({ auths: { [proxy.host]: { auth: basic(ada).slice('Basic '.length) } } });
    assert.equal((await listed(`${name}:`)).text, `${name}:v1\n`);
  });
});
