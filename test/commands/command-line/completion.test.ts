import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { defineCommand, flag, list, value } from '../../../src/commands/command-line/command.ts';
import { type Completable, completableOf } from '../../../src/commands/completion/completable.ts';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { buildImage, pushImage } from '../../support/images.ts';
import { projectRoot } from '../../support/project.ts';
import { startServe } from '../../support/registries.ts';

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

  it('are an empty list without a store', async (t) => {
    assert.deepEqual((await ocictl(t, ['__complete', 'images'])).stdout, '');
  });
});
