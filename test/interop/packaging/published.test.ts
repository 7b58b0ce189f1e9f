import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type RunResult, start } from '../../support/process.ts';
import { projectRoot } from '../../support/project.ts';
import { type Scope, sandbox, temporaryDirectory } from '../../support/sandbox.ts';

/** What npm says of a packed package. */
interface Packed {
  readonly filename: string;
  /** Of the archive, in bytes. */
  readonly size: number;
  readonly entryCount: number;
  readonly files: readonly { readonly path: string }[];
}

const maxBytes = 1_100_000;
const maxFiles = 200;
const maxPackages = 3;

async function run(t: Scope, program: string, words: readonly string[], cwd = projectRoot): Promise<RunResult> {
  const { env } = await sandbox(t);
  return start(t, program, words, { env, cwd, timeoutMs: 300_000 }).result;
}

/** npm without a network, and with a cache of the sandbox's own. */
async function npm(t: Scope, words: readonly string[], cwd?: string): Promise<RunResult> {
  return run(t, 'npm', [...words, '--offline', '--no-audit', '--no-fund', '--no-update-notifier'], cwd);
}

describe('the published package', () => {
  const endings: (() => unknown)[] = [];
  const scope = { after: (end: () => unknown) => void endings.push(end) } as Scope;
  let folder: string;
  let archive: string;
  let packed: Packed;

  before(async () => {
    const directory = await temporaryDirectory(scope);
    folder = join(directory, 'package');
    const made = await run(scope, process.execPath, [join(projectRoot, 'scripts', 'pack.mjs'), folder]);
    assert.equal(made.exitCode, 0, made.stderr);
    const { stdout, stderr } = await npm(scope, ['pack', '--json', '--pack-destination', directory, folder]);
    const [found] = JSON.parse(stdout) as [Packed?];
    assert.ok(found, stderr);
    packed = found;
    archive = join(directory, packed.filename);
  });

  after(async () => {
    for (const end of endings) await end();
  });

  it('is small', () => {
    assert.ok(packed.size <= maxBytes, `${packed.size} bytes`);
    assert.ok(packed.entryCount <= maxFiles, `${packed.entryCount} files`);
  });

  it('has the files that users need, and none for developers', () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of ['LICENSE', 'README.md', 'bin/ocictl.js', 'completions/ocictl.bash', 'docs/exit-codes.md']) {
      assert.ok(paths.includes(path), path);
    }
    assert.deepEqual(
      paths.filter((path) => /^(?:src|test|scripts|bench|node_modules)\/|\.map$|architecture/.test(path)),
      [],
    );
  });

  it('has documents whose links and images lead to files of the package', async () => {
    const pages = packed.files.map(({ path }) => path).filter((path) => path.endsWith('.md'));
    assert.ok(pages.includes('README.md') && pages.includes('docs/README.md'));
    for (const page of pages) {
      const prose = (await readFile(join(folder, page), 'utf8')).replace(/^```.*?^```$/gms, '');
      for (const [, target = ''] of prose.matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g)) {
        if (/^(?:https?|mailto):/.test(target)) continue;
        const path = normalize(join(dirname(page), target));
        const known = packed.files.some(
          (file) => file.path === path || file.path.startsWith(`${path.replace(/\/$/, '')}/`),
        );
        assert.ok(known, `${page} links to ${target}`);
      }
    }
    const readme = await readFile(join(folder, 'README.md'), 'utf8');
    assert.doesNotMatch(readme, /pull\.svg|npm run recording|architecture/);
    assert.match(readme, /^## Install$/m);
  });

  it('depends on nothing that it holds itself, and names every man page', async () => {
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, object>;
    assert.deepEqual(Object.keys(manifest['dependencies'] ?? {}), []);
    assert.deepEqual(Object.keys(manifest['optionalDependencies'] ?? {}), ['@napi-rs/keyring', 'keytar']);
    for (const key of ['private', 'scripts', 'devDependencies']) assert.equal(manifest[key], undefined, key);
    const pages = await readdir(join(projectRoot, 'man'));
    assert.deepEqual(
      manifest['man'],
      pages.sort().map((page) => `man/${page}`),
    );
  });

  it('has the licence of every package that it holds', async () => {
    const text = await readFile(join(folder, 'THIRD-PARTY-LICENCES.txt'), 'utf8');
    for (const name of ['undici', 'commander', 'yaml', 'jose', 'ora', 'signal-exit', 'ip-address', '@noble/hashes']) {
      const { version } = JSON.parse(
        await readFile(join(projectRoot, 'node_modules', name, 'package.json'), 'utf8'),
      ) as { readonly version: string };
      assert.ok(text.includes(`${name} ${version} (`), name);
    }
    assert.match(text, /Permission is hereby granted/);
    assert.doesNotMatch(text, /^(?:typescript|esbuild|publint) /m);
  });

  it('is one package when it is installed without the optional ones, and runs', async (t) => {
    const project = await temporaryDirectory(t);
    await writeFile(join(project, 'package.json'), '{"private":true}');
    const installed = await npm(t, ['install', '--omit=optional', archive], project);
    assert.equal(installed.exitCode, 0, installed.stderr);
    const listed = await npm(t, ['ls', '--all', '--parseable'], project);
    assert.ok(listed.stdout.trim().split('\n').length - 1 <= maxPackages, listed.stdout);
    for (const words of [['--version'], ['pull', '--help'], ['images']]) {
      const ran = await run(t, join(project, 'node_modules', '.bin', 'ocictl'), words, project);
      assert.deepEqual([ran.exitCode, ran.stderr], [0, ''], words.join(' '));
    }
  });

  it('installs its programs and man pages with npm install --global', async (t) => {
    const prefix = await temporaryDirectory(t);
    const installed = await npm(t, ['install', '-g', '--omit=optional', '--prefix', prefix, archive]);
    assert.equal(installed.exitCode, 0, installed.stderr);
    const helper = await run(t, join(prefix, 'bin', 'docker-credential-ocictl'), ['version']);
    assert.match(helper.stdout, /^docker-credential-ocictl \d/);
    // `man` looks there for everything in `bin`.
    assert.ok((await stat(join(prefix, 'share', 'man', 'man1', 'ocictl-pull.1'))).isFile());
  });

  it('is made by npm run pack:npm: the checkout refuses to be packed and says so', async (t) => {
    const refused = await npm(t, ['pack', '--pack-destination', await temporaryDirectory(t)]);
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stderr, /npm run pack:npm makes \.build\/package/);
  });
});
