import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { commandTable } from '../../../src/commands/command-line/all-commands.ts';
import { ocictl } from '../../support/command.ts';
import { keepImage } from '../../support/local-store.ts';
import { deadAddress } from '../../support/network/ports.ts';
import { sandbox } from '../../support/sandbox.ts';
import { imageFor } from '../copy/places.ts';

interface Line {
  readonly type: string;
  readonly text?: string;
  readonly name?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Words with which a command fails; `@` is a host where nothing listens, `file` a file. */
const failing: Readonly<Record<string, readonly string[]>> = {
  pull: ['@/app', '@/other:1'],
  push: ['@/kept', '@/absent'],
  copy: ['@/app', '@/other'],
  save: ['-o', 'a.tar', '@/app'],
  load: ['-i', 'absent.tar'],
  sync: ['file'],
  tag: ['absent', 'name'],
  images: ['--filter', 'nonsense'],
  rmi: ['absent', 'gone'],
  prune: ['--no-such-flag'],
  df: ['--no-such-flag'],
  scrub: ['absent'],
  inspect: ['@/app', '@/other'],
  digest: ['@/app', '@/other'],
  tags: ['@/app'],
  repos: ['@'],
  delete: ['@/app:1', '@/app:2'],
  'manifest head': ['@/app', '@/other'],
  'manifest put': ['@/app', 'absent'],
  'manifest delete': ['@/app:1', '@/app:2'],
  'artifact push': ['@/app', 'absent'],
  'artifact pull': ['@/app'],
  append: ['@/app', '-f', 'absent', '-t', '@/other'],
  flatten: ['@/app', '-t', '@/other'],
  squash: ['@/app', '--from', '2', '-t', '@/other'],
  rebase: ['@/app', '-t', '@/other'],
  'check-base': ['@/app'],
  validate: ['@/app'],
  mutate: ['@/app', '-t', '@/other'],
  attach: ['@/app', '--artifact-type', 'text/plain', 'absent'],
  discover: ['@/app'],
  'index create': ['@/app', '-t', '@/other'],
  'index add': ['@/app', '@/other'],
  'index remove': ['@/app', '--platform', 'linux/arm64'],
  'index annotate': ['@/app', '-a', 'a=b'],
  'index list': ['@/app'],
  sbom: ['@/app', '--list'],
  'key generate': ['--output-prefix', 'absent/key', '--password-file', 'file'],
  sign: ['@/app', '--key', 'absent'],
  verify: ['@/app', '--key', 'absent'],
  attest: ['@/app', '--key', 'absent', '--predicate', 'file', '--type', 'custom'],
  'verify-attestation': ['@/app', '--key', 'absent'],
  files: ['@/app'],
  diff: ['@/app', '@/other'],
  history: ['@/app'],
  extract: ['@/app', '/', '-o', 'out'],
  'blob head': ['@/app'],
  'blob put': ['@/app', 'absent'],
  'blob delete': ['@/app'],
  search: ['@/app'],
  login: ['@', '-u', 'ada', '-p', 'secret'],
  logout: ['not a host'],
  whoami: ['@'],
  auth: ['token', '@/app'],
  doctor: ['@/app'],
  config: ['nonsense'],
  'storage gc': ['--root', 'absent'],
  'storage fsck': ['--root', 'absent'],
  'storage stats': ['--root', 'absent'],
  'storage copy': ['absent', 'to'],
  serve: ['--root', 'file/below'],
  version: ['nonsense'],
};

const withJson: string[] = [];
for (const { name, load } of commandTable) if ('json' in (await load()).options) withJson.push(name);

/** The lines on stderr, each of which has to be JSON. */
function linesOf(stderr: string): readonly Line[] {
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

describe('stderr of a command with --json', () => {
  it('is tried here for every command that takes it', () => {
    assert.deepEqual(Object.keys(failing).sort(), [...withJson].sort());
  });

  for (const name of withJson) {
    it(`has only JSON when ${name} fails, and the error in the last line`, async (t) => {
      const { home, daemonJson } = await sandbox(t);
      await writeFile(join(home, 'file'), '');
      // A setting with a warning: it is read without its scheme.
      await writeFile(daemonJson, JSON.stringify({ 'insecure-registries': ['http://lab.example'] }));
      const dead = await deadAddress();
      if (name === 'push') await keepImage(t, `${dead}/kept:latest`, await imageFor('amd64'));
      const words = [...name.split(' '), ...(failing[name] ?? []).map((word) => word.replace('@', dead))];
      const forPeople = await ocictl(t, words);
      const { exitCode, stderr } = await ocictl(t, [...words, '--json']);
      assert.notEqual(exitCode, 0);
      assert.equal(exitCode, forPeople.exitCode, 'the status is that without --json');
      const lines = linesOf(stderr);
      const { type, error } = lines.at(-1) ?? assert.fail('stderr is empty');
      assert.equal(type, 'error');
      assert.ok(forPeople.stderr.includes(`error: ${error?.message}\n`) || name === 'doctor', stderr);
      assert.deepEqual([...new Set(lines.map((line) => line.type))].sort(), typesIn(forPeople.stderr));
    });
  }

  it('has the failure of each reference, with its name and code', async (t) => {
    const dead = await deadAddress();
    const { stderr } = await ocictl(t, ['digest', '--json', `${dead}/app`, 'App']);
    const told = linesOf(stderr).map(({ type, name, error }) => [type, name, error?.code]);
    assert.deepEqual(told, [
      ['failed', `${dead}/app`, 'NETWORK'],
      ['failed', 'App', 'REFERENCE_INVALID'],
      ['error', undefined, 'NETWORK'],
    ]);
  });

  it('has warnings and notes of a command that succeeds as JSON, too', async (t) => {
    await writeFile((await sandbox(t)).daemonJson, JSON.stringify({ 'insecure-registries': ['http://lab.example'] }));
    const { exitCode, stderr } = await ocictl(t, ['config', 'show', '--json']);
    assert.equal(exitCode, 0);
    const [{ type, text } = assert.fail('there is no warning')] = linesOf(stderr);
    assert.equal(type, 'warning');
    assert.match(text ?? '', /lab\.example/);
  });

  it('has the requests that -v shows as JSON', async (t) => {
    const { stderr } = await ocictl(t, ['-v', 'digest', '--json', `${await deadAddress()}/app`]);
    const notes = linesOf(stderr).filter(({ type }) => type === 'note');
    assert.match(notes[0]?.text ?? '', /^HEAD http/);
  });

  it('is JSON with --progress none and json, and for people with bars and plain, whose last line is the error as JSON', async (t) => {
    const image = `${await deadAddress()}/app`;
    for (const mode of ['none', 'json', 'auto']) {
      const { stderr } = await ocictl(t, ['pull', '--json', '--progress', mode, image]);
      assert.equal(linesOf(stderr).at(-1)?.type, 'error', mode);
    }
    for (const mode of ['bars', 'plain']) {
      const { stderr } = await ocictl(t, ['pull', '--json', `--progress=${mode}`, image]);
      const lines = stderr.trimEnd().split('\n');
      assert.match(lines.at(-3) ?? '', /^error: /, mode);
      assert.equal((JSON.parse(lines.at(-1) ?? '') as Line).type, 'error');
    }
  });

  it('is for people where --json is an option of another program', async (t) => {
    const { stderr } = await ocictl(t, ['with-login', 'not a host', '--', 'true', '--json']);
    assert.match(stderr, /^error: /);
  });
});

/** The types of the JSON lines that stand for the lines for people. */
function typesIn(stderr: string): string[] {
  const lines = stderr.split('\n').filter((line) => line !== '');
  const types = lines.map((line) => {
    if (/^(?:error|hint): /.test(line)) return 'error';
    if (/^warning: /.test(line)) return 'warning';
    return /^WARNING!|^[A-Z]/.test(line) ? 'note' : 'failed';
  });
  return [...new Set(types)].sort();
}
