import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type AuthEntry, loadDockerConfig, parseDockerConfig } from '../../../src/config/docker/docker-config.ts';
import { isOciError } from '../../../src/model/errors.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function entry(fields: unknown): Omit<AuthEntry, 'key' | 'origin'> {
  const [{ key: _key, origin: _origin, ...rest } = assert.fail('no entry')] = parseDockerConfig(
    JSON.stringify({ auths: { host: fields } }),
    'f',
  ).auths;
  return rest;
}

describe("Docker's config.json", () => {
  it('gives credentials, helpers and headers with their lines', () => {
    const text = [
      '{',
      '  "auths": {',
      `    "registry.example.com": {"auth": "${base64('ada:secret')}"}`,
      '  },',
      '  "HttpHeaders": {"X-Meta": "42"},',
      '  "credsStore": "pass",',
      '  "credHelpers": {"gcr.io": "gcloud"},',
      '  "psFormat": "ours to ignore"',
      '}',
    ].join('\n');
    const config = parseDockerConfig(text, '/c.json');
    assert.deepEqual(config.auths, [
      {
        key: 'registry.example.com',
        origin: { kind: 'file', name: '/c.json', line: 3 },
        username: 'ada',
        password: 'secret',
      },
    ]);
    assert.deepEqual(config.httpHeaders, { 'X-Meta': '42' });
    assert.deepEqual(config.credsStore, { value: 'pass', origin: { kind: 'file', name: '/c.json', line: 6 } });
    assert.equal(config.credHelpers.get('gcr.io')?.value, 'gcloud');
  });

  for (const text of [undefined, '', ' \n', '{}', '\ufeff{}', '{"auths": null}']) {
    it(`is empty when the file is ${text === undefined ? 'missing' : JSON.stringify(text)}`, async (t) => {
      const directory = await temporaryDirectory(t);
      const file = join(directory, 'config.json');
      if (text !== undefined) await writeFile(file, text);
      assert.deepEqual(await loadDockerConfig(file), {
        file,
        auths: [],
        httpHeaders: {},
        credsStore: undefined,
        credHelpers: new Map(),
      });
    });
  }

  it('splits auth at the first colon', () => {
    assert.deepEqual(entry({ auth: base64('ada:a:b:c') }), { username: 'ada', password: 'a:b:c' });
  });

  it('reads passwords that are empty, in Unicode, or padded with NUL by old Docker versions', () => {
    assert.deepEqual(entry({ auth: base64('ada:') }), { username: 'ada', password: '' });
    assert.deepEqual(entry({ auth: base64('åda:pässwörd') }), { username: 'åda', password: 'pässwörd' });
    assert.deepEqual(entry({ auth: base64('ada:secret\0\0') }), { username: 'ada', password: 'secret' });
  });

  it('reads tokens, and username and password in the open', () => {
    assert.deepEqual(entry({ identitytoken: 'refresh' }), { identityToken: 'refresh' });
    assert.deepEqual(entry({ registrytoken: 'bearer', auth: '' }), { registryToken: 'bearer' });
    assert.deepEqual(entry({ username: 'ada', password: 'secret' }), { username: 'ada', password: 'secret' });
    assert.deepEqual(entry({}), {});
  });

  for (const auth of ['!!!', base64('no colon'), base64(':password'), 'YQ']) {
    it(`keeps an auth of ${auth} as a fault of that entry alone`, () => {
      assert.deepEqual(entry({ auth }), { fault: 'its "auth" is not the base64 of user:password' });
    });
  }

  it('reads an auth with line breaks, as base64 makes them', () => {
    const password = 'x'.repeat(100);
    const auth = base64(`ada:${password}`).replace(/.{76}/g, '$&\n');
    assert.deepEqual(entry({ auth: `${auth}\r\n` }), { username: 'ada', password });
  });

  it('takes its keys in any case, as Go does, with their lines; of two the later one counts, and maps are joined', () => {
    const text = [
      '{"Auths": {"a": {"AUTH": "eDp4", "auth": "YWRhOng="}},',
      '"auths": {"b": {"IdentityToken": "t"}},',
      '"CredsStore": "pass", "credhelpers": {"Gcr.io": "gcloud"},',
      '"httpheaders": {"X-Meta": "42", "X-None": null}}',
    ].join('\n');
    const config = parseDockerConfig(text, '/c.json');
    const at = (line: number) => ({ kind: 'file', name: '/c.json', line });
    assert.deepEqual(config.auths, [
      { key: 'a', origin: at(1), username: 'ada', password: 'x' },
      { key: 'b', origin: at(2), identityToken: 't' },
    ]);
    assert.deepEqual(config.credsStore, { value: 'pass', origin: at(3) });
    assert.deepEqual([...config.credHelpers], [['Gcr.io', { value: 'gcloud', origin: at(3) }]]);
    assert.deepEqual(config.httpHeaders, { 'X-Meta': '42' });
  });

  it('takes null for nothing, wherever it is', () => {
    const text = '{"auths": {"a": null, "b": {"auth": null}}, "credHelpers": {"a": null}, "credsStore": null}';
    const config = parseDockerConfig(text, '/c.json');
    assert.deepEqual(
      config.auths.map(({ origin: _, ...rest }) => rest),
      [{ key: 'a' }, { key: 'b' }],
    );
    assert.equal(config.credHelpers.get('a')?.value, '');
    assert.equal(config.credsStore, undefined);
  });

  for (const [fields, fault] of [
    ['x', 'it must be an object'],
    [[], 'it must be an object'],
    [{ auth: 5 }, 'its "auth" must be a string'],
    [{ username: 'ada', password: 1 }, 'its "password" must be a string'],
  ] as const) {
    it(`keeps an entry of ${JSON.stringify(fields)} as a fault of that entry alone`, () => {
      assert.deepEqual(entry(fields), { fault });
    });
  }

  it('reports an invalid helper name for the registry that has it, and for no other', () => {
    const { credHelpers } = parseDockerConfig('{"credHelpers": {"h\\u202e": 1, "g": "gcloud"}}', '/c.json');
    assert.equal(credHelpers.get('h\u202e')?.fault, '"credHelpers.h\\u{202e}" must be a string');
    assert.equal(credHelpers.get('g')?.fault, undefined);
  });

  const faults = [
    ['{"auths": []}', /^\/c\.json:1: "auths" must be an object$/],
    ['[]', /^\/c\.json:1: the file must be a JSON object$/],
    ['{"credsStore": 1}', /"credsStore" must be a string$/],
    ['{"HttpHeaders": {"X": 1}}', /"HttpHeaders\.X" is not a valid header$/],
    ['{"HttpHeaders": {"X": "a\\r\\nY: b"}}', /"HttpHeaders\.X" is not a valid header$/],
    ['{"HttpHeaders": {"a b": "c"}}', /"HttpHeaders\.a b" is not a valid header$/],
    ['{"HttpHeaders": {"X\\u009b": "c"}}', /"HttpHeaders\.X\\u\{9b\}" is not a valid header$/],
    ['{"auths": {]}}', /^\/c\.json:1:12: not valid JSON/],
  ] as const;
  for (const [text, message] of faults) {
    it(`${JSON.stringify(text)} is an error that names the place`, () => {
      assert.throws(
        () => parseDockerConfig(text, '/c.json'),
        (error) => {
          assert.ok(isOciError(error, 'CONFIG_INVALID'));
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});
