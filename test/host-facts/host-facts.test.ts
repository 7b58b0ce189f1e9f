import assert from 'node:assert/strict';
import { chmod, lchown, mkdir, readdir, readFile, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { Facts } from '../../src/host-facts/facts.ts';
import { createHostFacts } from '../../src/host-facts/host-facts.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const host = new URL('https://registry.example:5000/prefix/');
const dayMs = 24 * 60 * 60 * 1000;
const startMs = Date.parse('2026-01-01T00:00:00Z');

interface Place {
  readonly directory: string;
  readonly file: string;
  readonly notes: readonly string[];
  /** What a later run knows of the host. */
  known(nowMs?: number, url?: URL): Facts;
  /** A run that learns. */
  learn(facts: Facts, nowMs?: number, url?: URL): void;
}

async function place(t: TestContext, directory?: string): Promise<Place> {
  const found = directory ?? join(await temporaryDirectory(t), 'cache');
  const notes: string[] = [];
  const run = (nowMs = startMs) =>
    createHostFacts({ directory: found, note: (text) => void notes.push(text), nowMs: () => nowMs });
  return {
    directory: found,
    file: join(found, 'hosts', 'https_registry.example_5000.json'),
    notes,
    known: (nowMs, url = host) => run(nowMs).of(url).known,
    learn(facts, nowMs, url = host) {
      const made = run(nowMs);
      made.of(url).learn(facts);
      made.save();
    },
  };
}

describe('what was learned of a host', () => {
  it('is known at once, and to later runs when it was saved', async (t) => {
    const { directory, known } = await place(t);
    const facts = createHostFacts({ directory, nowMs: () => startMs });
    facts.of(host).learn({ http2: true });
    facts.of(host).learn({ mounts: false, maxBodyBytes: 1000 });
    assert.deepEqual(facts.of(new URL('https://registry.example:5000/')).known, {
      http2: true,
      mounts: false,
      maxBodyBytes: 1000,
    });
    assert.deepEqual(known(), {});
    facts.save();
    assert.deepEqual(known(), { http2: true, mounts: false, maxBodyBytes: 1000 });
  });

  it('is of one scheme, host and port, and of one whose certificate is verified', async (t) => {
    const { directory, learn, known } = await place(t);
    learn({ http2: true });
    for (const other of ['http://registry.example:5000', 'https://registry.example', 'https://other.example:5000']) {
      assert.deepEqual(known(startMs, new URL(other)), {}, other);
    }
    assert.deepEqual(createHostFacts({ directory, nowMs: () => startMs }).of(host, { verified: false }).known, {});
  });

  it('is corrected, and forgotten, by what is learned later', async (t) => {
    const { learn, known } = await place(t);
    learn({ http2: true, ranges: true });
    learn({ http2: false, ranges: undefined });
    assert.deepEqual(known(), { http2: false });
  });

  it('ends after a week, counted from its first day, and is absent when the clock is before it', async (t) => {
    const { learn, known } = await place(t);
    learn({ http2: true });
    learn({ mounts: true }, startMs + 3 * dayMs);
    assert.deepEqual(known(startMs + 7 * dayMs - 1), { http2: true, mounts: true });
    assert.deepEqual(known(startMs + 7 * dayMs), {});
    assert.deepEqual(known(startMs - 1), {});
    learn({ ranges: true }, startMs - 1);
    assert.deepEqual(known(startMs), { ranges: true });
  });

  it('is kept beside what another process has learned meanwhile', async (t) => {
    const { directory, known } = await place(t);
    const [one, other] = [0, 1].map(() => createHostFacts({ directory, nowMs: () => startMs }));
    one?.of(host).learn({ http2: true });
    other?.of(host).learn({ mounts: true });
    one?.save();
    other?.save();
    assert.deepEqual(known(), { http2: true, mounts: true });
  });

  it('is written only if it is news, for its user alone', async (t) => {
    const { learn, file, directory } = await place(t);
    learn({ http2: true });
    const before = await stat(file);
    learn({ http2: true });
    assert.equal((await stat(file)).ino, before.ino);
    assert.equal(before.mode & 0o777, 0o600);
    assert.equal((await stat(join(directory, 'hosts'))).mode & 0o777, 0o700);
    assert.deepEqual(await readdir(join(directory, 'hosts')), ['https_registry.example_5000.json']);
  });

  it('makes room for what is learned later, when it has ended, with what a killed process left', async (t) => {
    const { learn, directory } = await place(t);
    const other = new URL('https://other.example');
    learn({ http2: true });
    await writeFile(join(directory, 'hosts', '.1-2-3.draft'), '', { mode: 0o600 });
    await utimes(join(directory, 'hosts', '.1-2-3.draft'), startMs / 1000, startMs / 1000);
    learn({ http2: true }, startMs + dayMs, other);
    assert.deepEqual((await readdir(join(directory, 'hosts'))).length, 2);
    learn({ mounts: true }, startMs + 7 * dayMs, other);
    assert.deepEqual(await readdir(join(directory, 'hosts')), ['https_other.example.json']);
  });

  it('is in memory alone without a directory', () => {
    const facts = createHostFacts();
    facts.of(host).learn({ http2: true });
    facts.save();
    assert.deepEqual(facts.of(host).known, { http2: true });
  });
});

describe('a file of what was learned', () => {
  it('counts for nothing when it is damaged, of another version or of another host, and is written anew', async (t) => {
    const { learn, known, file } = await place(t);
    learn({ http2: true, challenges: { '/': ['Basic'] } });
    const good = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    const bad = [
      '',
      '{',
      '[]',
      'null',
      '['.repeat(30_000),
      'x'.repeat(70_000),
      JSON.stringify({ ...good, format: 2 }),
      JSON.stringify({ ...good, origin: 'https://registry_example:5000' }),
      JSON.stringify({ ...good, since: 'today' }),
      JSON.stringify({ ...good, facts: [] }),
      JSON.stringify({ ...good, facts: { http2: 'yes' } }),
      JSON.stringify({ ...good, facts: { maxBodyBytes: -1 } }),
      JSON.stringify({ ...good, facts: { roots: 'mine' } }),
      JSON.stringify({ ...good, facts: { challenges: { '/': 'Basic' } } }),
      JSON.stringify({ ...good, facts: { challenges: { '/': ['B'.repeat(3000)] } } }),
    ];
    for (const text of bad) {
      await writeFile(file, text);
      assert.deepEqual(known(), {}, text.slice(0, 80));
      learn({ mounts: true });
      assert.deepEqual(known(), { mounts: true }, text.slice(0, 80));
    }
    await writeFile(file, JSON.stringify({ ...good, facts: { http2: true, tomorrow: 1 } }));
    assert.deepEqual(known(), { http2: true });
  });

  it('is not read where others could have written it: one note, and no error', async (t) => {
    type Spoil = (place: Place) => Promise<unknown>;
    const spoils: Readonly<Record<string, Spoil>> = {
      'a file that others may read': ({ file }) => chmod(file, 0o644),
      'a directory that others may enter': ({ directory }) => chmod(join(directory, 'hosts'), 0o755),
      'a link in place of the file': async ({ file }) => {
        await rename(file, `${file}.real`);
        await symlink(`${file}.real`, file);
      },
      'a link in place of the directory': async ({ directory }) => {
        await rename(join(directory, 'hosts'), join(directory, 'real'));
        await symlink('real', join(directory, 'hosts'));
      },
      'a directory in place of the file': async ({ file }) => {
        await rename(file, `${file}.real`);
        await mkdir(file);
      },
      ...(process.geteuid?.() === 0 && {
        'a file of another user': ({ file }: Place) => lchown(file, 12_345, 12_345),
        'a directory of another user': ({ directory }: Place) => lchown(join(directory, 'hosts'), 12_345, 12_345),
      }),
    };
    for (const [what, spoil] of Object.entries(spoils)) {
      const made = await place(t);
      made.learn({ http2: true });
      await spoil(made);
      assert.deepEqual(made.known(), {}, what);
      assert.equal(made.notes.length, 1, what);
      assert.match(made.notes[0] ?? '', /^what was learned of hosts is not kept in .*hosts: /, what);
      made.learn({ mounts: true });
      assert.equal(made.known().http2, undefined, what);
    }
  });

  it('makes no directory of root in the home of a user', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('only root has the homes of others');
    const home = await temporaryDirectory(t);
    await lchown(home, 1000, 1000);
    const { learn, notes } = await place(t, join(home, '.cache', 'ocictl'));
    learn({ http2: true });
    assert.equal(notes.length, 1);
    assert.deepEqual(await readdir(home), []);
  });

  it('is nothing that a run depends on where no file can be', async (t) => {
    const directory = await temporaryDirectory(t);
    await writeFile(join(directory, 'file'), '');
    const { learn, known, notes } = await place(t, join(directory, 'file', 'cache'));
    learn({ http2: true });
    assert.deepEqual(known(), {});
    assert.equal(notes.length, 1);
    const { learn: learnNowhere, known: nowhere } = await place(t, '/proc/none/cache');
    learnNowhere({ http2: true });
    assert.deepEqual(nowhere(), {});
  });
});
