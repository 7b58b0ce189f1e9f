import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';

import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { compareNames } from '../../../src/image/tar/names.ts';
import { readTar } from '../../../src/image/tar/read.ts';
import { createHasher } from '../../../src/model/digest.ts';
import { ocictl } from '../../support/command.ts';
import { startDocker } from '../../support/docker.ts';
import { tarLayer } from '../../support/images/tar-layer.ts';
import { buildImage } from '../../support/images.ts';
import { writeLayout } from '../../support/layout.ts';
import { needs } from '../../support/programs.ts';
import { sandbox, temporaryDirectory } from '../../support/sandbox.ts';
import { judgedImages } from './judged-images.ts';

const exec = promisify(execFile);
const maxBuffer = 256 * 1024 * 1024;

/** What a tree has, by paths: two that are equal in all of it are one. */
type Tree = ReadonlyMap<string, string>;

interface Precision {
  /** Digits of the fraction of a time. */
  readonly digits?: number;
  /** Paths that the program adds. */
  readonly leaveOut?: (path: string) => boolean;
}

/** Reads a tree of a tar archive. Names of one file have the first of them, whichever of them has the content. */
async function treeOf(file: string, { digits = 9, leaveOut = () => false }: Precision = {}): Promise<Tree> {
  const facts = new Map<string, { own: string; first: string }>();
  const names = new Map<string, string[]>();
  for await (const reading of readTar(createReadStream(file), { shown: file })) {
    const { path, type, mode, uid, gid, mtime, linkname, devmajor, devminor, xattrs, size } = reading.entry;
    const name = plain(path);
    if (name === '' || leaveOut(name)) continue;
    if (type === 'link') {
      const target = plain(linkname);
      const group = names.get(target) ?? assert.fail(`${file}: ${name} is a link to ${target}, which is not before it`);
      group.push(name);
      names.set(name, group);
      continue;
    }
    const hasher = await createHasher();
    for await (const chunk of reading.content()) hasher.update(chunk);
    const attributes = [...xattrs].map(([key, value]) => `${key}=${Buffer.from(value).toString('hex')}`).sort();
    const time = `${mtime.seconds}.${String(mtime.nanoseconds).padStart(9, '0').slice(0, digits)}`;
    const device = `${devmajor},${devminor}`;
    const content = type === 'file' ? hasher.digest() : '';
    const own = [
      type,
      (mode & 0o7777).toString(8),
      `${uid}:${gid}`,
      time,
      linkname,
      device,
      size,
      content,
      ...attributes,
    ];
    facts.set(name, { own: own.join(' '), first: name });
    names.set(name, [name]);
  }
  const tree = [...names].map(([name, group]) => {
    const [holder = name] = group;
    const first = [...group].sort(compareNames)[0];
    return [name, `${facts.get(holder)?.own} is ${first}`] as const;
  });
  return new Map(tree.sort(([a], [b]) => compareNames(a, b)));
}

const plain = (path: string): string =>
  path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');

/** A tree on the disk, by an archive that GNU tar makes of it. */
async function packed(directory: string, file: string): Promise<string> {
  const words = ['--xattrs', '--xattrs-include=*', '--format=pax', '--sort=name', '-C', directory, '-cf', file, '.'];
  await exec('tar', words, { maxBuffer });
  return file;
}

const containerfile = 'FROM scratch\nCOPY d /a/\nCOPY --chown=7:8 d/file /a/other\nCOPY d/file /a/file\nCMD ["/x"]\n';

interface Written {
  /** Of the layout, and of what ocictl exports. */
  readonly layout: string;
  readonly exported: string;
}

async function written(t: TestContext, name: string): Promise<Written> {
  const { home } = await sandbox(t);
  const { layers } = judgedImages[name] ?? assert.fail(name);
  const image = await buildImage({
    layers: await Promise.all(layers.map((parts) => tarLayer(parts))),
    run: { Cmd: ['/x'] },
  });
  const layout = join(home, 'layout');
  await writeLayout(layout, '1', image);
  const exported = join(home, 'ours.tar');
  const { exitCode, stderr } = await ocictl(t, ['export', `oci:${layout}:1`, '-o', exported]);
  assert.equal(exitCode, 0, stderr);
  return { layout, exported };
}

describe('what ocictl export writes is what others unpack', () => {
  for (const [name, { umoci }] of Object.entries(judgedImages)) {
    it(`umoci: ${name}${umoci === undefined ? '' : `, but ${umoci}`}`, async (t) => {
      if (!needs(t, 'umoci', 'tar')) return;
      const { layout, exported } = await written(t, name);
      const directory = await temporaryDirectory(t);
      await exec('umoci', ['unpack', '--image', `${layout}:1`, join(directory, 'bundle')]);
      const theirs = await treeOf(await packed(join(directory, 'bundle', 'rootfs'), join(directory, 'theirs.tar')));
      await (umoci === undefined ? same : different)(await treeOf(exported), theirs);
    });
  }

  for (const [name, { crane }] of Object.entries(judgedImages)) {
    it(`crane: ${name}${crane === undefined ? '' : `, but ${crane}`}`, async (t) => {
      if (!needs(t, 'crane')) return;
      const { layout, exported } = await written(t, name);
      const directory = await temporaryDirectory(t);
      const [archive, theirs] = [join(directory, 'archive.tar'), join(directory, 'theirs.tar')];
      const saved = await ocictl(t, ['save', '--image-format', 'docker', `oci:${layout}:1`, '-o', archive]);
      assert.equal(saved.exitCode, 0, saved.stderr);
      await exec('sh', ['-c', 'crane export - "$1" < "$2"', 'sh', theirs, archive]);
      const [one, other] = await Promise.all([treeOf(exported), treeOf(theirs).catch(() => new Map())]);
      (crane === undefined ? same : different)(one, other);
    });
  }

  it('podman: an image that it builds itself', async (t) => {
    if (!needs(t, 'podman')) return;
    const directory = await temporaryDirectory(t);
    await mkdir(join(directory, 'context', 'd'), { recursive: true });
    await writeFile(join(directory, 'context', 'd', 'file'), 'one');
    await writeFile(join(directory, 'context', 'Containerfile'), containerfile);
    const places = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs'];
    const podman = (...words: string[]) => exec('podman', [...places, ...words], { maxBuffer });
    await podman('build', '--layers', '-t', 'judged', join(directory, 'context'));
    const layout = join(directory, 'layout');
    await podman('push', 'judged', `oci:${layout}:1`);
    const { stdout } = await podman('create', 'judged', '/x');
    const [theirs, exported] = [join(directory, 'theirs.tar'), join(directory, 'ours.tar')];
    await podman('export', '-o', theirs, stdout.trim());
    const { exitCode, stderr } = await ocictl(t, ['export', `oci:${layout}:1`, '-o', exported]);
    assert.equal(exitCode, 0, stderr);
    const precision = { digits: 0, leaveOut: (path: string) => /^(?:dev|proc|sys|etc|run)(?:\/|$)/.test(path) };
    same(await treeOf(exported, precision), await treeOf(theirs, precision));
  });

  it('umoci: an image that it makes itself, with what it deletes and adds again', async (t) => {
    if (!needs(t, 'umoci', 'tar')) return;
    const directory = await temporaryDirectory(t);
    const [layout, image] = [join(directory, 'layout'), `${join(directory, 'layout')}:1`];
    await exec('umoci', ['init', '--layout', layout]);
    await exec('umoci', ['new', '--image', image]);
    const changes = [
      'mkdir -p d/e && echo 1 > d/e/f && ln d/e/f link && ln -s /d/e s && mkfifo p && echo x > gone',
      'rm -r d gone && mkdir d && echo 2 > d/new && chmod 711 d && ln link d/again',
      'rm s && mkdir s && echo 3 > s/f && chown 5:6 link',
    ];
    for (const [i, change] of changes.entries()) {
      const bundle = join(directory, `bundle-${i}`);
      await exec('umoci', ['unpack', '--image', image, bundle]);
      await exec('sh', ['-c', change], { cwd: join(bundle, 'rootfs') });
      await exec('umoci', ['repack', '--image', image, bundle]);
    }
    await exec('umoci', ['unpack', '--image', image, join(directory, 'bundle')]);
    const theirs = await treeOf(await packed(join(directory, 'bundle', 'rootfs'), join(directory, 'theirs.tar')));
    const exported = join(directory, 'ours.tar');
    const { exitCode, stderr } = await ocictl(t, ['export', `oci:${image}`, '-o', exported]);
    assert.equal(exitCode, 0, stderr);
    same(await treeOf(exported), theirs);
  });

  it('docker: all of them', async (t) => {
    if (!needs(t, 'dockerd', 'docker')) return;
    const env = { ...process.env, ...(await startDocker(t)) };
    const directory = await temporaryDirectory(t);
    const own = /^(?:\.dockerenv|dev|proc|sys|etc)(?:\/|$)/;
    for (const [name, { docker }] of Object.entries(judgedImages)) {
      const { layout, exported } = await written(t, name);
      const tag = `judged:${name.replaceAll(/[^a-z]/g, '-')}`;
      const copied = await ocictl(t, ['copy', `oci:${layout}:1`, `docker-daemon:${tag}`], {
        env: { DOCKER_HOST: env['DOCKER_HOST'] ?? '' },
      });
      assert.equal(copied.exitCode, 0, copied.stderr);
      const { stdout } = await exec('docker', ['create', tag], { env });
      const file = join(directory, 'docker.tar');
      await exec('docker', ['export', '-o', file, stdout.trim()], { env });
      // Docker writes times without fractions.
      const precision = { digits: 0, leaveOut: (path: string) => own.test(path) };
      await t.test(name, async () =>
        (docker === undefined ? same : different)(await treeOf(exported, precision), await treeOf(file, precision)),
      );
    }
  });
});

function same(ours: Tree, theirs: Tree): void {
  assert.deepEqual(Object.fromEntries(ours), Object.fromEntries(theirs));
}

/** What docs/inside.md lists: a program that has come to do the same makes this fail. */
function different(ours: Tree, theirs: Tree): void {
  assert.notDeepEqual(Object.fromEntries(ours), Object.fromEntries(theirs));
}
