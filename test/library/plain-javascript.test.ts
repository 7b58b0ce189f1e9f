import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as docker from '../../src/docker.ts';
import * as library from '../../src/index.ts';
import { isOciError } from '../../src/index.ts';
import * as server from '../../src/server.ts';
import * as storage from '../../src/storage.ts';
import { memoryRegistry } from '../support/memory.ts';
import { sandbox } from '../support/sandbox.ts';

type Call = (...words: readonly unknown[]) => unknown;

/** Every exported function, as plain JavaScript sees it. */
const functions = new Map<string, Call>(
  [library, server, storage, docker].flatMap((entry) =>
    Object.entries(entry).flatMap(([name, value]) =>
      typeof value === 'function' && !/^class\b/.test(String(value)) ? [[name, value as Call] as const] : [],
    ),
  ),
);

/** Runs a call to its end, and reads the first of what it lists. @returns What it threw. */
async function failure(call: () => unknown): Promise<unknown> {
  try {
    const made: unknown = await call();
    if (typeof made === 'object' && made !== null && Symbol.asyncIterator in made) {
      await (made as AsyncIterable<unknown>)[Symbol.asyncIterator]().next();
    }
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The message of an OciError with code USAGE. */
async function refusal(name: string, ...words: readonly unknown[]): Promise<string> {
  const error = await failure(() => functions.get(name)?.(...words));
  assert.ok(isOciError(error, 'USAGE'), `${name}: ${error}`);
  return error.message;
}

/** Functions without arguments, and two that take any value. */
const takesAnything = [
  ...['manifestAcceptHeader', 'manifestMediaTypes', 'createChallengeCache', 'createMemoryDriver'],
  ...['isOciError', 'exitStatusOf'],
];

/** Functions whose arguments all have defaults. */
const takesNothing = [
  ...['loadSettings', 'createTokenCache', 'createDescriptorCache', 'createBatch', 'createHasher', 'hostPlatform'],
  ...['certsDir', 'openConfigFileStore', 'parseChallenges'],
];

describe('a mistake in plain JavaScript', () => {
  for (const [name, call] of functions) {
    if (takesAnything.includes(name)) continue;
    it(`is an OciError of ${name}, and no TypeError from inside`, async () => {
      const mistakes = [
        ...(takesNothing.includes(name) ? [] : [[]]),
        [null],
        [5],
        [['a', 5]],
        [() => {}],
        [{ a: 1 }, 5],
      ];
      for (const words of mistakes) {
        const error = await failure(() => call(...words));
        assert.ok(isOciError(error), `${name}(${words.map((word) => JSON.stringify(word)).join(', ')}): ${error}`);
      }
    });
  }

  it('is an OciError of the methods of a service', async (t) => {
    const { env, home } = await sandbox(t);
    const service = library.createRegistryService({ settings: await library.loadSettings({ env, homedir: home }) });
    t.after(() => service.close());
    for (const [name, method] of Object.entries(service)) {
      if (name === 'close' || name === 'serviceConfig') continue;
      for (const words of [[], [null], [5], [['a']], [{ a: 1 }, 5]]) {
        const error = await failure(() => (method as Call).apply(service, words));
        assert.ok(
          isOciError(error, 'USAGE'),
          `${name}(${words.map((word) => JSON.stringify(word)).join(', ')}): ${error}`,
        );
      }
    }
    const error = await failure(() => (service.open as Call)('alpine', 'pull'));
    assert.ok(isOciError(error, 'USAGE'));
    assert.equal(error.message, 'open: the reference (of parseReference) must be an object, not a string');
  });

  it('is named inside the ends of a transfer, and for each image of a batch', async () => {
    const registry = memoryRegistry();
    const end = { registry, repo: 'app', reference: '1', tags: [] };
    assert.equal(await refusal('transfer', { from: end, to: {} }), 'transfer: registry of to is missing');
    assert.equal(
      await refusal('transfer', { from: { ...end, reference: 1 }, to: end }),
      'transfer: reference of from must be a string, not a number',
    );
    assert.equal(
      await refusal('transfer', { from: end, to: { ...end, tags: [1] } }),
      'transfer: a tag must be a string, not a number',
    );
    const batch = library.createBatch();
    const error = await failure(() => (batch.transfer as Call)({ from: end }));
    assert.ok(isOciError(error, 'USAGE'));
    batch.end();
    assert.equal(await refusal('createBatch', { parallel: 3 }), 'createBatch: there is no option parallel');
  });

  it('is named: a missing argument, a wrong type, an option that there is not', async () => {
    assert.equal(await refusal('copy', 'alpine'), 'copy: the destination is missing');
    assert.equal(await refusal('copy', 'a', 5), 'copy: the destination must be a string, not a number');
    assert.equal(await refusal('copy', 'a', 'b', { onProgres: () => {} }), 'copy: there is no option onProgres');
    assert.equal(
      await refusal('openRemote', { url: 'https://r.example.com', retry: 5 }),
      'openRemote: the option retry must be an object, not a number',
    );
    assert.equal(await refusal('serve', { port: 0 }), 'serve: the option registry is missing');
  });

  it('has a hint that lists the options', async () => {
    const error = await failure(() => functions.get('openLayout')?.({ dir: '/tmp' }));
    assert.ok(isOciError(error, 'USAGE'));
    assert.equal(error.hint, 'the options of openLayout are directory, create, readOnly');
  });
});
