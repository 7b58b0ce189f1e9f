import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as docker from '../../src/docker.ts';
import * as library from '../../src/index.ts';
import { isOciError } from '../../src/index.ts';
import * as server from '../../src/server.ts';
import * as storage from '../../src/storage.ts';

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

/** The functions that a program begins with. What they give is typed by then, and its methods take what these gave. */
const checked = [
  ...['copy', 'listTags', 'getDigest', 'getManifest', 'getImageConfig', 'pushManifest', 'setTags', 'deleteTag'],
  ...['openRemote', 'openLayout', 'createStorage', 'openFilesystemDriver', 'serve', 'createRegistryService'],
  ...['loadSettings', 'createTokenCache', 'createDescriptorCache', 'createStaticStore', 'createBatch'],
  ...['createBasicAuth', 'createTokenAuth', 'createTokenIssuer', 'transfer'],
  ...['parseReference', 'parseRepositoryName', 'parseTag', 'parseDigest', 'parsePlatform'],
  ...['validateIndexName', 'validateMirror', 'convertToHostname'],
];

/** Whether all options have defaults, and none were given. */
function mayBeCalledWith(name: string, words: readonly unknown[]): boolean {
  return words.length === 0 && /^(?:loadSettings|createTokenCache|createDescriptorCache|createBatch)$/.test(name);
}

describe('a mistake in plain JavaScript', () => {
  it('is no TypeError from inside, for what makes something and what reads a word', async () => {
    const wrong: string[] = [];
    for (const name of checked) {
      const call = functions.get(name);
      assert.ok(call, name);
      for (const words of [[], [null], [5], [['a']]]) {
        const error = await failure(() => call(...words));
        if (!mayBeCalledWith(name, words) || error !== undefined) {
          if (!isOciError(error)) wrong.push(`${name}(${JSON.stringify(words).slice(1, -1)}): ${error}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
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

  it('says what there is', async () => {
    const error = await failure(() => functions.get('openLayout')?.({ dir: '/tmp' }));
    assert.ok(isOciError(error, 'USAGE'));
    assert.equal(error.hint, 'the options of openLayout are directory, create, readOnly');
  });
});
