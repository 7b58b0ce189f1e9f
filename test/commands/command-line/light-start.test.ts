import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { ocictl } from '../../support/command.ts';
import { pushImage } from '../../support/images.ts';
import { projectRoot } from '../../support/project.ts';
import { startServe } from '../../support/registries.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';
import { writeKeys } from '../../support/trust/key-files.ts';
import { imageFor } from '../copy/places.ts';

interface Loaded {
  /** A module of Node. */
  loads(name: string): boolean;
  /** A file of `dist/`. */
  opens(name: string): boolean;
  readonly stdout: string;
}

const watching = `
  const fs = require('node:fs');
  const { openSync } = fs;
  const opened = [];
  fs.openSync = (path, ...more) => {
    opened.push(String(path));
    return openSync(path, ...more);
  };
  process.on('exit', () => process._rawDebug(JSON.stringify([...process.moduleLoadList, ...opened])));`;

/** What a command has loaded at its end, and its output. */
async function loadedBy(t: TestContext, ...words: string[]): Promise<Loaded> {
  const hook = join(await temporaryDirectory(t), 'hook.cjs');
  await writeFile(hook, watching);
  const env = { NODE_OPTIONS: `--require=${hook}` };
  // The first run keeps what it compiles, for which it loads more.
  await ocictl(t, words, { env });
  const { stdout, stderr } = await ocictl(t, words, { env });
  return {
    loads: (name) => stderr.includes(`NativeModule ${name}"`),
    opens: (name) => stderr.includes(`/${name}"`),
    stdout,
  };
}

/** The scripts of `dist/main`, by the names that their code is kept under. */
async function partsOfFiles(): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const folder = join(projectRoot, 'dist', 'main');
  const parts = (await readdir(folder)).map(async (file) => {
    const text = await readFile(join(folder, file), 'utf8');
    return text.split('\n//part ').map((part) => ({ name: `${file}.${part.split(' ', 1)[0]}`, text: part }));
  });
  return (await Promise.all(parts)).flat();
}

/** Modules of Node that take milliseconds to load. */
const traffic = ['internal/deps/undici/undici', 'internal/http2/core'];
const heavy = [...traffic, 'tls', 'crypto', 'http', 'zlib', 'child_process', 'perf_hooks'];

describe('a light start', () => {
  it('loads no streams and nothing of the network to list an empty store', async (t) => {
    const { loads, stdout } = await loadedBy(t, 'images');
    assert.match(stdout, /^REPOSITORY/);
    for (const name of [...heavy, 'stream', 'net', 'tty']) assert.ok(!loads(name), name);
  });

  it('loads neither TLS nor an HTTP client to ask a registry on loopback for a digest', async (t) => {
    const { host, registry } = await startServe(t);
    const image = await imageFor('amd64');
    await pushImage(registry, parseRepositoryName('team/app'), parseTag('1'), image);
    const { loads, opens, stdout } = await loadedBy(t, 'digest', `${host}/team/app:1`);
    assert.equal(stdout, `${image.descriptor.digest}\n`);
    assert.ok(loads('net'));
    for (const name of heavy) assert.ok(!loads(name), name);
    // There is no file for their parsers to read.
    for (const name of ['vendor/yaml.cjs', 'vendor/smol-toml.cjs', 'vendor/undici.cjs']) assert.ok(!opens(name), name);
  });

  it('loads the parser of YAML where there is a config.yaml', async (t) => {
    const { env } = await sandbox(t);
    const directory = join(env['XDG_CONFIG_HOME'] ?? join(env['HOME'] ?? '', '.config'), 'ocictl');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'config.yaml'), '{}');
    const { opens } = await loadedBy(t, 'images');
    assert.ok(opens('vendor/yaml.cjs'));
  });

  it('loads nothing that writes for a sync that finds nothing to copy', async (t) => {
    const [{ host, registry }, to] = await Promise.all([startServe(t), startServe(t)]);
    await pushImage(registry, parseRepositoryName('team/app'), parseTag('1'), await imageFor('amd64'));
    const { home } = await sandbox(t);
    await writeFile(join(home, 'mirror.yaml'), `{to: ${to.host}/app, sources: [{from: ${host}/team/app}]}`);
    const { loads, opens } = await loadedBy(t, 'sync', 'mirror.yaml');
    assert.ok(loads('net'));
    for (const name of heavy) assert.ok(!loads(name), name);
    assert.ok(!opens('vendor/undici.cjs'));
  });

  it("loads neither Node's own copy of undici nor HTTP/2 to write", async (t) => {
    const { host, registry } = await startServe(t);
    await pushImage(registry, parseRepositoryName('team/app'), parseTag('1'), await imageFor('amd64'));
    const { loads } = await loadedBy(t, 'copy', `${host}/team/app:1`, `${host}/team/other:1`);
    assert.ok(loads('http'));
    for (const name of traffic) assert.ok(!loads(name), name);
  });

  it('loads neither certificates nor tokens to verify by a key', async (t) => {
    const { host, registry } = await startServe(t);
    await pushImage(registry, parseRepositoryName('team/app'), parseTag('1'), await imageFor('amd64'));
    await writeKeys(t, 'owner');
    await ocictl(t, ['sign', '--key', 'owner.key', `${host}/team/app:1`]);
    const { opens, stdout } = await loadedBy(t, 'verify', '--key', 'owner.pub', `${host}/team/app:1`);
    assert.match(stdout, /signed by owner\.pub/);
    assert.ok(!opens('vendor/jose.cjs'));
    // As @sigstore/verify and what reads envelopes of notation name them. A file has several parts, and the code of each is a file.
    const late = (await partsOfFiles()).filter(({ text }) => /subjectAlternativeName|notary\.x509/.test(text));
    assert.ok(late.length > 1);
    for (const { name } of late) assert.ok(!opens(`${name}.usual`) && !opens(`${name}.prepared`), name);
    assert.ok(opens('cli.cjs.$0.usual'));
  });
});
