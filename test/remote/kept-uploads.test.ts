import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { digestBytes } from '../../src/model/digest.ts';
import { bytesSource } from '../../src/registry/content.ts';
import { UploadJournals } from '../../src/remote/upload/journal.ts';
import { json } from '../support/fake-server.ts';
import { temporaryDirectory } from '../support/sandbox.ts';
import { fails, repo } from './fake-registry.ts';
import {
  methods,
  mib,
  type Parts,
  type State,
  blob as smallBlob,
  source as smallSource,
  uploads,
} from './fake-uploads.ts';

const bytes = randomBytes(9 * mib);
const blob = { mediaType: 'a/b', digest: await digestBytes(bytes), size: bytes.length };
const source = bytesSource(blob, bytes);
const base = new URL('https://registry.example.com/');
const trust = { verified: true };

/** A registry, and a client of it whose journal is in a directory. */
async function journaled(t: TestContext, parts?: (state: State, own: Required<Parts>) => Parts) {
  const directory = await temporaryDirectory(t);
  const notes: string[] = [];
  const journals = new UploadJournals({ directory, note: (text) => notes.push(text) });
  const entry = journals.of(base, trust).entry(repo, blob) ?? assert.fail('a large blob has an entry');
  const opened = await uploads(t, parts, { uploadJournal: journals.of(base, trust) });
  const push = () => opened.registry.pushBlob(repo, blob, source);
  return { ...opened, directory, entry, notes, push, kept: () => readdir(join(directory, 'uploads')).catch(() => []) };
}

/** Writes an entry as a process does that has ended since. */
async function leftBehind(directory: string, location: string): Promise<string> {
  const module = new URL('../../src/remote/upload/journal.js', import.meta.url).href;
  const program = `
    const { UploadJournals } = await import(${JSON.stringify(module)});
    const journal = new UploadJournals({ directory: ${JSON.stringify(directory)} });
    journal.of(new URL('${base}'), { verified: true })
      .entry('${repo}', ${JSON.stringify(blob)}).keep(new URL('${location}'));`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  const [name = ''] = await readdir(join(directory, 'uploads'));
  return join(directory, 'uploads', name);
}

describe('an upload that a killed push has left', () => {
  it('goes on with what the registry lacks, and is then forgotten', async (t) => {
    const { directory, push, server, state, kept } = await journaled(t);
    state.held = Buffer.from(bytes.subarray(0, 8 * mib));
    state.sessions = 1;
    await leftBehind(directory, `${server.url}/session/1?state=secret`);
    assert.equal((await push()).outcome, 'pushed');
    assert.ok(state.committed?.equals(bytes));
    assert.equal(methods(server.requests), 'HEAD GET PATCH PUT');
    assert.equal(server.requests.find(({ method }) => method === 'PATCH')?.body.length, mib);
    assert.deepEqual(await kept(), []);
  });

  it('is in a file of this user alone', async (t) => {
    const { directory, server } = await journaled(t);
    const file = await leftBehind(directory, `${server.url}/session/1?state=secret`);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(join(directory, 'uploads'))).mode & 0o777, 0o700);
  });

  it('is not touched while the process that has begun it lives', async (t) => {
    const { entry, push, server, state } = await journaled(t);
    entry.keep(new URL(`${server.url}/session/1`));
    await push();
    assert.equal(methods(server.requests), 'HEAD POST PUT');
    assert.ok(state.committed?.equals(bytes));
  });

  it('starts anew where the registry has forgotten it, or has nothing of it', async (t) => {
    for (const get of [404, 204]) {
      const { directory, push, server, state, kept } = await journaled(t, (_, own) => ({
        get: (request, response, incoming) =>
          get === 404
            ? json(response, 404, { errors: [{ code: 'BLOB_UPLOAD_UNKNOWN' }] })
            : own.get(request, response, incoming),
      }));
      await leftBehind(directory, `${server.url}/session/9`);
      await push();
      assert.ok(state.committed?.equals(bytes));
      assert.equal(methods(server.requests), get === 404 ? 'HEAD GET POST PUT' : 'HEAD GET DELETE POST PUT');
      assert.deepEqual(await kept(), []);
    }
  });

  it('starts anew where its first bytes are others', async (t) => {
    const { directory, push, server, state } = await journaled(t, (s) => ({
      put: ({ body }, response) => {
        const whole = Buffer.concat([s.held, body]);
        if (!whole.equals(bytes)) return json(response, 400, { errors: [{ code: 'DIGEST_INVALID' }] });
        s.committed = whole;
        response.writeHead(201).end();
      },
    }));
    state.held = Buffer.alloc(8 * mib, 'z');
    state.sessions = 1;
    await leftBehind(directory, `${server.url}/session/1`);
    await push();
    assert.ok(state.committed?.equals(bytes));
    assert.equal(state.sessions, 2);
  });

  it('is ignored where its file is damaged, open to others, of another version, or too old', async (t) => {
    const damages: Readonly<Record<string, (file: string) => Promise<void>>> = {
      damaged: (file) => writeFile(file, '{"format":1,'),
      open: (file) => chmod(file, 0o644),
      version: async (file) => writeFile(file, (await readFile(file, 'utf8')).replace('"format":1', '"format":2')),
      old: async (file) => writeFile(file, (await readFile(file, 'utf8')).replace(/"since":\d+/, '"since":1')),
      future: async (file) => writeFile(file, (await readFile(file, 'utf8')).replace(/"since":\d/, '"since":9')),
      location: async (file) => writeFile(file, (await readFile(file, 'utf8')).replace(/http:[^"]*/, 'nowhere')),
    };
    for (const [name, damage] of Object.entries(damages)) {
      const { directory, push, server, state } = await journaled(t);
      await damage(await leftBehind(directory, `${server.url}/session/1`));
      await push();
      assert.equal(methods(server.requests), 'HEAD POST PUT', name);
      assert.ok(state.committed?.equals(bytes), name);
    }
  });
});

describe('an upload that fails', () => {
  it('is kept, and its session left open, where the registry cannot be reached any more', async (t) => {
    const { entry, push, server, state, kept } = await journaled(t, () => ({
      put: (_, _response, incoming) => incoming.socket.destroy(),
      patch: (_, _response, incoming) => incoming.socket.destroy(),
    }));
    await assert.rejects(push(), fails('NETWORK'));
    assert.equal(state.cancelled, 0);
    assert.equal((await kept()).length, 1);
    assert.equal(entry.find(), undefined, 'this process lives');
    assert.ok(server.requests.length > 3);
  });

  it('is forgotten, and its session cancelled, where the registry refuses the blob', async (t) => {
    const { push, state, kept } = await journaled(t, () => ({ put: (_, response) => json(response, 403, {}) }));
    await assert.rejects(push(), fails('DENIED'));
    assert.equal(state.cancelled, 1);
    assert.deepEqual(await kept(), []);
  });

  it('of a small blob is never kept', async (t) => {
    let during: readonly string[] = ['not asked'];
    const opened = await journaled(t, (_, own) => ({
      put: (request, response, incoming) =>
        void opened.kept().then((names) => {
          during = names;
          own.put(request, response, incoming);
        }),
    }));
    await opened.registry.pushBlob(repo, smallBlob, smallSource);
    assert.deepEqual(during, []);
  });

  it('goes on without a journal where the cache directory takes no files', async (t) => {
    const { directory, push, state, notes } = await journaled(t);
    await writeFile(join(directory, 'uploads'), 'a file');
    await push();
    assert.ok(state.committed?.equals(bytes));
    assert.equal(notes.length, 1);
    assert.match(notes[0] ?? '', /^unfinished uploads are not kept in /);
  });
});
