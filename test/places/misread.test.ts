import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { suggestCommand, suggestOption } from '../../src/commands/command-line/suggest.ts';
import { OciError } from '../../src/model/errors.ts';
import { refuseMisread, withMeaning } from '../../src/places/misread.ts';
import { ocictl } from '../support/command.ts';
import { startFakeServer } from '../support/fake-server.ts';
import { sandbox } from '../support/sandbox.ts';

const hints: readonly (readonly [word: string, hint: RegExp])[] = [
  ['containers-storage:app', /: podman save app \| ocictl load$/],
  ['containerd:docker.io/library/app:1', /: ctr images export - docker\.io\/library\/app:1 \| ocictl load$/],
  ['localhost:5000', /^write localhost:5000\/NAME$/],
  ['registry.example.com:5000/', /^write registry\.example\.com:5000\/NAME$/],
  ['quay.io/', /^write quay\.io\/NAME$/],
  ['127.0.0.1:5000', /^write 127\.0\.0\.1:5000\/NAME$/],
  ['[::1]:5000', /^write \[::1\]:5000\/NAME$/],
  ['./out', /oci:\.\/out/],
  ['../out', /oci:\.\.\/out/],
  ['/srv/out', /oci:\/srv\/out/],
  ['~/out', /oci:~\/out/],
  ['.', /oci:\./],
];

const commands: readonly (readonly string[])[] = [
  ['inspect', '@'],
  ['digest', '@'],
  ['tags', '@'],
  ['copy', '@', 'oci:out'],
  ['pull', '@'],
  ['push', '@'],
];

describe('a word that is read elsewhere, and hardly meant for Docker Hub', () => {
  for (const [word, hint] of hints) {
    it(`is refused with what to write: ${word}`, () => {
      for (const wanted of ['place', 'image'] as const) {
        assert.throws(
          () => refuseMisread(word, wanted),
          (error) => error instanceof OciError && error.code === 'REFERENCE_INVALID' && hint.test(error.hint ?? ''),
        );
      }
    });
  }

  for (const words of commands) {
    it(`is refused by ocictl ${words[0]} before anything is asked`, async (t) => {
      const { url, requests } = await startFakeServer(t, (_, response) => response.writeHead(404).end());
      await sandbox(t);
      for (const word of ['ocidir:x', 'localhost:5000', './out']) {
        const line = words.map((one) => one.replace('@', word));
        const mirror = ['pull', 'inspect'].includes(words[0] ?? '') ? ['--registry-mirror', url] : [];
        const { exitCode, stdout, stderr } = await ocictl(t, [...line, ...mirror]);
        assert.deepEqual([exitCode, stdout], [2, ''], stderr);
        assert.match(stderr, /^error: invalid reference: .*\nhint: .+\n$/);
      }
      assert.deepEqual(requests, []);
    });
  }

  it('is refused as the target of a copy and of a tag, too', async (t) => {
    for (const words of [
      ['tag', 'x', 'oci:out'],
      ['tag', 'x', 'store:y'],
    ]) {
      assert.equal((await ocictl(t, words)).exitCode, 2, words.join(' '));
    }
  });

  it('passes where it is a full name, or the name of an image', () => {
    const names = ['alpine', 'registry:2', 'docker:dind', 'docker.io/library/dir:x', 'localhost:5000/app', 'a/dir:x'];
    for (const word of [...names, 'node:20', 'redis.x:7', 'host:5000', 'localhost']) refuseMisread(word, 'image');
    refuseMisread('oci:dir', 'place');
  });

  it('is named as a registry by search', async (t) => {
    const { exitCode, stderr } = await ocictl(t, ['search', 'localhost:5000']);
    assert.equal(exitCode, 2);
    assert.match(stderr, /hint: write localhost:5000\/TERM; ocictl repos localhost:5000/);
  });
});

describe('an image that was not found', () => {
  const failed = new OciError('DENIED', 'pull access denied', { hint: 'log in', status: 401, endpoint: 'https://x' });
  const hintFor = (word: string): string | undefined => (withMeaning(failed, [word]) as OciError).hint;

  it('may be a registry whose repository was left out', () => {
    assert.match(hintFor('registry:5000') ?? '', /^log in; registry:5000 is read as .*it is registry:5000\/NAME$/);
    assert.match(hintFor('quay.io') ?? '', /quay\.io\/NAME/);
    assert.equal(hintFor('alpine:3.20'), 'log in');
    assert.equal(hintFor('quay.io/team/app'), 'log in');
  });

  it('may be an image ID', () => {
    assert.match(hintFor('6ff3aabd5f26') ?? '', /store:6ff3aabd5f26/);
  });

  it('is not told of where a server was named', async (t) => {
    const env = { HTTPS_PROXY: 'http://127.0.0.1:1' };
    const words = ['login', '-u', 'ada', '--password-stdin', 'registry.example'];
    const { exitCode, stderr } = await ocictl(t, words, { input: 'secret', env });
    assert.equal(exitCode, 5, stderr);
    assert.doesNotMatch(stderr, /is read as an image/);
    const image = await ocictl(t, ['digest', 'registry.example'], { env });
    assert.match(image.stderr, /registry\.example is read as an image of Docker Hub/);
  });

  it('is the same error otherwise', () => {
    const error = withMeaning(failed, ['quay.io']) as OciError;
    assert.deepEqual(
      [error.code, error.message, error.status, error.endpoint],
      ['DENIED', failed.message, 401, 'https://x'],
    );
    const other = new OciError('STORAGE', 'x');
    assert.equal(withMeaning(other, ['quay.io']), other);
  });
});

describe('the suggestion for a mistyped word', () => {
  const known = ['pull', 'push', 'copy', 'tag', 'tags', 'images', 'inspect', 'login', 'logout'];

  for (const [word, meant] of [
    ['pul', 'pull'],
    ['psuh', 'push'],
    ['puhs', 'push'],
    ['inspekt', 'inspect'],
    ['ins', 'inspect'],
    ['logi', 'login'],
    ['tga', 'tag'],
  ] as const) {
    it(`by ${word} is ${meant}`, () => assert.equal(suggestCommand([word], known), `did you mean ${meant}?`));
  }

  it('is undefined for a word unlike all others', () => {
    for (const word of ['x', 'xyz', 'log', 'nonsense', 'constructor', '__proto__']) {
      assert.equal(suggestCommand([word], known), undefined, word);
    }
  });

  it('says of an option without a value that it takes none', () => {
    assert.equal(suggestOption('--quiet=1', ['--quiet']), '--quiet takes no value');
    assert.equal(suggestOption('--constructor', ['--quiet']), undefined);
  });
});
