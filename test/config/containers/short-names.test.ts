import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { resolveShortName } from '../../../src/config/containers/short-names.ts';
import { isOciError } from '../../../src/model/errors.ts';
import { formatReference } from '../../../src/model/reference/reference.ts';
import { configError, type World, world } from '../world.ts';

const system = 'etc/containers';

async function containersWorld(t: TestContext): Promise<World> {
  const made = await world(t);
  await made.write('.config/ocictl/config.yaml', 'short-names: containers');
  return made;
}

async function meanings({ load }: World, word: string): Promise<readonly string[]> {
  const { shortNameRules } = await load();
  assert.ok(shortNameRules);
  return resolveShortName(word, shortNameRules).map(({ reference }) => formatReference(reference));
}

describe('short names', () => {
  it('are resolved as Docker does by default, without reading registries.conf', async (t) => {
    const { load, write } = await world(t);
    await write(`${system}/registries.conf`, 'unqualified-search-registries = 3\nshort-name-mode = "none"');
    const { shortNames, shortNameRules } = await load();
    assert.equal(shortNames.value, 'docker');
    assert.equal(shortNameRules, undefined);
  });

  const digest = `sha256:${'f'.repeat(64)}`;
  const rows = [
    ['centos', ['quay.io/centos/centos']],
    ['centos:7', ['quay.io/centos/centos:7']],
    [`centos@${digest}`, [`quay.io/centos/centos@${digest}`]],
    ['team/app:1', ['ghcr.io/team/app:1']],
    ['alpine', ['a.example:5000/alpine', 'docker.io/library/alpine']],
    ['x/y:1', ['a.example:5000/x/y:1', 'docker.io/x/y:1']],
  ] as const;
  for (const [word, expected] of rows) {
    it(`${word} can mean ${expected.join(' or ')}`, async (t) => {
      const made = await containersWorld(t);
      await made.write(
        `${system}/registries.conf`,
        'unqualified-search-registries = ["a.example:5000", "docker.io"]\n[aliases]\n"team/app" = "ghcr.io/team/app"',
      );
      await made.write(`${system}/registries.conf.d/shortnames.conf`, '[aliases]\ncentos = "quay.io/centos/centos"');
      assert.deepEqual(await meanings(made, word), expected);
    });
  }

  it('say where they come from', async (t) => {
    const made = await containersWorld(t);
    const file = await made.write(`${system}/registries.conf`, '\n[aliases]\n"centos" = "quay.io/centos/centos"');
    const { shortNameRules } = await made.load();
    assert.ok(shortNameRules);
    assert.deepEqual(resolveShortName('centos', shortNameRules)[0]?.origin, { kind: 'file', name: file, line: 3 });
  });

  it('are merged: a later list counts whole, aliases add up, an empty one takes away', async (t) => {
    const made = await containersWorld(t);
    await made.write(
      `${system}/registries.conf`,
      'unqualified-search-registries = ["a.example"]\n[aliases]\none = "a.example/one"\ntwo = "a.example/two"',
    );
    await made.write(
      `${system}/registries.conf.d/x.conf`,
      'unqualified-search-registries = ["b.example"]\n[aliases]\none = ""\ntwo = "b.example/two"',
    );
    await made.write('.cache/containers/short-name-aliases.conf', '[aliases]\nthree = "c.example/three"');
    assert.deepEqual(await meanings(made, 'one'), ['b.example/one']);
    assert.deepEqual(await meanings(made, 'two'), ['b.example/two']);
    assert.deepEqual(await meanings(made, 'three'), ['c.example/three'], 'what a user once chose counts too');
  });

  it('of version 1 of the format are searched', async (t) => {
    const made = await containersWorld(t);
    await made.write(`${system}/registries.conf`, '[registries.search]\nregistries = ["a.example"]');
    assert.deepEqual(await meanings(made, 'app'), ['a.example/app']);
  });

  it('that mean nothing, or several things where that is not allowed, are refused', async (t) => {
    const made = await containersWorld(t);
    const refused = (message: RegExp) => (error: unknown) =>
      isOciError(error, 'REFERENCE_INVALID') && message.test(error.message);
    await assert.rejects(meanings(made, 'alpine'), refused(/"alpine" has no alias, and no registries are searched/));
    await made.write(
      `${system}/registries.conf`,
      'unqualified-search-registries = ["a.example", "b.example"]\nshort-name-mode = "enforcing"',
    );
    await assert.rejects(meanings(made, 'alpine'), refused(/could be in any of a\.example, b\.example/));
    await assert.rejects(meanings(made, 'Alpine'), refused(/must be lowercase/));
  });

  const faults = [
    ['unqualified-search-registries = "a"', /:1: "unqualified-search-registries" must be a list of strings/],
    ['unqualified-search-registries = ["https://a"]', /:1: "https:\/\/a" must not have a scheme/],
    ['unqualified-search-registries = ["a.example/x"]', /:1: "a\.example\/x" is not a registry: it has a path/],
    ['short-name-mode = "some"', /:1: "short-name-mode" must be one of enforcing, permissive, disabled/],
    ['[aliases]\none = 1', /:2: the alias "one" must be a string/],
    ['[aliases]\n"a.example/one" = "b.example/one"', /:2: "a\.example\/one" is not a short name/],
    ['[aliases]\n"one:1" = "b.example/one"', /:2: "one:1" is not a short name/],
    ['[aliases]\none = "two"', /:2: "two" is not a full name/],
    ['[aliases]\none = "b.example/one:1"', /:2: "b\.example\/one:1" is not a full name/],
    ['[aliases]\none = "b.example/One"', /:2: "b\.example\/One" is not a full name/],
  ] as const;
  for (const [text, message] of faults) {
    it(`${JSON.stringify(text)} is an error that names the line`, async (t) => {
      const { load, write } = await containersWorld(t);
      await write(`${system}/registries.conf`, text);
      await assert.rejects(load(), configError(message));
    });
  }
});
