import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openHelperStore } from '../../src/credentials/helper-store.ts';
import { isOciError } from '../../src/model/errors.ts';
import { type Scratch, scratch } from './scratch.ts';

/** A helper that works: it keeps one credential in a file. */
const keeping = `case $1 in
  store) printf '%s' "$input" > "$STORE" ;;
  get) if [ -f "$STORE" ]; then cat "$STORE"; else echo 'credentials not found in native keychain'; exit 1; fi ;;
  erase) rm "$STORE" ;;
  list) echo '{"https://index.docker.io/v1/":"ada"}' ;;
esac`;

function open({ env }: Scratch, name = 'test', timeoutMs?: number) {
  return openHelperStore(name, { env, where: 'config.json:1', timeoutMs });
}

describe('a credential helper', () => {
  it('is given the registry on standard input and answers with a credential', async (t) => {
    const place = await scratch(t);
    await place.helper('test', `echo '{"ServerURL":"x","Username":"ada","Secret":"s3cret"}'`);
    assert.deepEqual(await open(place).get('example.com:5000'), {
      kind: 'password',
      username: 'ada',
      password: 's3cret',
      source: 'docker-credential-test',
    });
    assert.deepEqual(await place.calls('test'), ['get example.com:5000']);
  });

  it("is given Docker Hub's old key", async (t) => {
    const place = await scratch(t);
    await place.helper('test', keeping);
    assert.equal(await open(place).get('docker.io'), undefined);
    assert.deepEqual(await place.calls('test'), ['get https://index.docker.io/v1/']);
  });

  it('hands out an identity token under the user <token>', async (t) => {
    const place = await scratch(t);
    await place.helper('test', `echo '{"Username":"<token>","Secret":"refresh"}'`);
    assert.deepEqual(await open(place).get('h'), {
      kind: 'identity-token',
      token: 'refresh',
      source: 'docker-credential-test',
    });
  });

  for (const [what, script] of [
    ['says so on standard output', "echo 'credentials not found in native keychain'; exit 1"],
    ['answers with empty fields', `echo '{"Username":"","Secret":""}'`],
  ] as const) {
    it(`has none when it ${what}`, async (t) => {
      const place = await scratch(t);
      await place.helper('test', script);
      assert.equal(await open(place).get('h'), undefined);
    });
  }

  it('is asked once per run for each registry, also by several at once', async (t) => {
    const place = await scratch(t);
    await place.helper('test', keeping);
    const store = open(place);
    await Promise.all([store.get('a'), store.get('a'), store.get('b')]);
    await store.get('a');
    assert.deepEqual([...(await place.calls('test'))].sort(), ['get a', 'get b']);
  });

  it('is asked again on demand: its passwords may live for hours only', async (t) => {
    const place = await scratch(t);
    await place.helper('test', keeping);
    const store = open(place);
    await store.get('h');
    await store.get('h', { fresh: true });
    await store.get('h');
    assert.deepEqual(await place.calls('test'), ['get h', 'get h']);
  });

  it('stores, is asked anew, lists and erases', async (t) => {
    const place = await scratch(t);
    await place.helper('test', keeping);
    const store = open(place);
    assert.equal(await store.get('docker.io'), undefined);
    await store.store('docker.io', { kind: 'password', username: 'ada', password: 'p"\n', source: '' });
    const found = await store.get('docker.io');
    assert.equal(found?.kind === 'password' && found.password, 'p"\n');
    const listed = [];
    for await (const entry of store.list()) listed.push(entry);
    assert.deepEqual(listed, [{ host: 'docker.io', username: 'ada', source: 'docker-credential-test' }]);
    assert.equal(await store.erase('docker.io'), true);
    assert.equal(await store.erase('docker.io'), false);
    assert.equal(await store.get('docker.io'), undefined);
  });

  it('is not asked to erase an entry that it answers with empty fields', async (t) => {
    const place = await scratch(t);
    await place.helper('test', `echo '{"Username":"","Secret":""}'`);
    assert.equal(await open(place).erase('h'), false);
    assert.deepEqual(await place.calls('test'), ['get h']);
  });

  it('stores an identity token under the user <token>, and no registry token', async (t) => {
    const place = await scratch(t);
    await place.helper('test', keeping);
    const store = open(place);
    await store.store('h', { kind: 'identity-token', token: 'refresh', source: '' });
    assert.deepEqual(await place.calls('test'), ['store {"ServerURL":"h","Username":"<token>","Secret":"refresh"}']);
    await assert.rejects(store.store('h', { kind: 'registry-token', token: 'x', source: '' }), (error) =>
      isOciError(error, 'UNSUPPORTED'),
    );
  });

  for (const name of ['../evil', 'a/b', 'a\\b', '..', 'a b', 'a;b', '']) {
    it(`cannot be called ${JSON.stringify(name)}`, async (t) => {
      const place = await scratch(t);
      assert.throws(
        () => open(place, name),
        (error) => isOciError(error, 'CONFIG_INVALID') && error.message.startsWith('config.json:1: '),
      );
    });
  }
});

describe('a credential helper that does not work', () => {
  const faults = [
    [
      'says why on standard output',
      "echo 'pass not initialized: exit status 1'; exit 1",
      /failed with status 1: pass not/,
    ],
    ['says why on standard error', "echo 'no D-Bus session' >&2; exit 2", /failed with status 2: no D-Bus session/],
    ['says nothing', 'exit 3', /docker-credential-test get failed with status 3$/],
    ['is killed', 'kill -9 $$', /was ended by SIGKILL/],
    ['does not answer with JSON', "echo 'hello hunter2'", /^docker-credential-test did not answer with a JSON object$/],
    ['fails with the secret', `echo '{"Secret":"hunter2"}'; exit 1`, /failed with status 1$/],
    ['writes without end', 'exec yes', /printed more than a mebibyte/],
  ] as const;
  for (const [what, script, message] of faults) {
    it(`fails when it ${what}`, async (t) => {
      const place = await scratch(t);
      await place.helper('test', script);
      await assert.rejects(open(place).get('h'), (error) => {
        assert.ok(isOciError(error, 'CONFIG_INVALID'));
        assert.match(error.message, message);
        return !error.message.includes('hunter2');
      });
    });
  }

  it('has a hint if the cause is known', async (t) => {
    const place = await scratch(t);
    await place.helper('test', "echo 'pass not initialized: exit status 1'; exit 1");
    await assert.rejects(
      open(place).get('h'),
      (error) => isOciError(error) && error.hint?.includes('pass init') === true,
    );
  });

  it('is named when it is missing', async (t) => {
    const place = await scratch(t);
    await assert.rejects(open(place, 'missing').get('h'), (error) => {
      assert.ok(isOciError(error, 'CONFIG_INVALID'));
      return error.message === 'docker-credential-missing is not on PATH' && error.hint !== undefined;
    });
  });

  it('is given up and ended when it hangs', async (t) => {
    const place = await scratch(t);
    await place.helper('test', 'exec sleep 60');
    const start = Date.now();
    await assert.rejects(open(place, 'test', 300).get('h'), (error) => isOciError(error, 'TIMEOUT'));
    assert.ok(Date.now() - start < 50_000);
  });

  it('is ended when the run is cancelled while it stores', async (t) => {
    const place = await scratch(t);
    await place.helper('test', 'exec sleep 60');
    const reason = new Error('stop');
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 100);
    const credential = { kind: 'password', username: 'a', password: 'b', source: '' } as const;
    await assert.rejects(open(place).store('h', credential, { signal: controller.signal }), reason);
  });
});
