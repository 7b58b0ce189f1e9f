import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type AccessFile, openAccessFile } from '../../../src/config/ocictl/access-file.ts';
import { actionsIn, mayList } from '../../../src/model/access-rules.ts';
import { temporaryDirectory } from '../../support/sandbox.ts';

const hash = `$2b$04$${'a'.repeat(53)}`;
const other = `$2y$10$${'b'.repeat(53)}`;
const rules = 'rules:\n  - users: all\n    repositories: "**"\n    actions: [pull]\n';

interface Opened {
  readonly file: string;
  readonly directory: string;
  readonly warnings: string[];
  readonly now: () => Promise<AccessFile>;
}

async function open(t: TestContext, text: string, more: Readonly<Record<string, string>> = {}): Promise<Opened> {
  const directory = await temporaryDirectory(t);
  for (const [name, content] of Object.entries(more)) await writeFile(join(directory, name), content);
  const file = join(directory, 'access.yaml');
  await writeFile(file, text);
  const warnings: string[] = [];
  const now = await openAccessFile(file, { warn: (warning) => warnings.push(warning) });
  return { file, directory, warnings, now };
}

describe('an access file', () => {
  it('names users and the actions they may take', async (t) => {
    const text = `
issuer: team-tokens
services: [here, there]
expires: 10m
refresh-expires: 24h
users:
  ada: ${hash}
rules:
  - users: [ada]
    repositories: [team/**, app]
    actions: [push, catalog]
  - anonymous: true
    repositories: public/*
    actions: pull
`;
    const access = await (await open(t, text)).now();
    assert.deepEqual([access.issuer, access.services], ['team-tokens', ['here', 'there']]);
    assert.deepEqual([access.expiresMs, access.refreshExpiresMs], [600_000, 86_400_000]);
    assert.deepEqual([...(await access.accounts())], [['ada', hash]]);
    assert.deepEqual([...actionsIn(access.rules, 'ada', 'team/a/b')], ['push', 'pull']);
    assert.deepEqual([...actionsIn(access.rules, undefined, 'public/x')], ['pull']);
    assert.ok(mayList(access.rules, 'ada') && !mayList(access.rules, undefined));
  });

  it('has a default for every absent setting', async (t) => {
    const access = await (await open(t, `users: {ada: ${hash}}\n${rules}`)).now();
    assert.deepEqual([access.issuer, access.services, access.realm], ['ocictl', ['ocictl'], undefined]);
    assert.deepEqual([access.expiresMs, access.refreshExpiresMs], [300_000, 90 * 86_400_000]);
  });

  it('takes users from a password file beside it, and its own before those', async (t) => {
    const htpasswd = `ada:${other}\neve:${other}\n`;
    const text = `htpasswd: users\nusers: {ada: ${hash}}\n${rules}`;
    const { now, directory } = await open(t, text, { users: htpasswd });
    assert.deepEqual(Object.fromEntries(await (await now()).accounts()), { ada: hash, eve: other });
    await writeFile(join(directory, 'users'), `max:${other}\n`);
    for (;;) {
      const accounts = await (await now()).accounts();
      if (accounts.has('max')) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(!(await (await now()).accounts()).has('eve'));
  });

  it('is refused with line and column if it is malformed, and no message has a password', async (t) => {
    const user = `users:\n  ada: ${hash}\n`;
    const one = (rule: string): string => `${user}rules:\n  - ${rule}\n`;
    const cases: readonly (readonly [string, RegExp])[] = [
      ['users: {', /:1:\d+: not valid YAML/],
      [`${user}${user}`, /:3:1: not valid YAML: this key occurs twice/],
      ['users:\n  ada: hunter2\n', /:2:8: the password of "ada" is not a bcrypt hash/],
      [
        `users:\n  ada: $2y$15$${'a'.repeat(53)}\n`,
        /:2:8: the password of "ada" is a bcrypt hash of cost 15: at most 14 is accepted/,
      ],
      ['users:\n  ada: [hunter2]\n', /:2:8: the password of "ada" is not a bcrypt hash/],
      [`users:\n  "a:b": ${hash}\n`, /:2:10: "a:b" is not a user name/],
      ['users: [ada]\n', /:1:8: "users" must be an object/],
      [user, /there are no rules/],
      [`${user}rule: []\n`, /:3:1: unknown key "rule"/],
      [one('{users: [ada], repository: x, actions: pull}'), /:4:\d+: unknown key "repository"/],
      [one('{users: [ada], repositories: x}'), /:4:5: a rule needs actions/],
      [one('{users: [ada], repositories: x, actions: [pull, write]}'), /:4:\d+: "write" is not an action/],
      [one('{users: [ada], actions: [pull]}'), /:4:5: a rule with pull, push or delete needs repositories/],
      [one('{repositories: x, actions: [pull]}'), /:4:5: a rule is for users/],
      [one('{users: ada, repositories: x, actions: [pull]}'), /:4:\d+: users must be a list of names, or the word all/],
      [one('{users: [], repositories: x, actions: [pull]}'), /:4:5: a rule is for users/],
      [one('{users: all, repositories: Team/x, actions: [pull]}'), /:4:\d+: "Team\/x" covers no repository/],
      [one('{users: all, repositories: **, actions: [pull]}'), /:4:\d+: not valid YAML/],
      [
        one('{anonymous: "yes", repositories: x, actions: [pull]}'),
        /:4:\d+: "rules.0.anonymous" must be true or false/,
      ],
      [`${user}${rules}expires: 1s\n`, /:\d+:10: expires must be at least 1m/],
      [`${user}${rules}expires: soon\n`, /:\d+:10: "soon" is not a duration/],
      [`${user}${rules}services: ['a"b']\n`, /:\d+:12: .* is not a name/],
      [`${user}${rules}htpasswd: absent\n`, /cannot read the password file .*absent/],
      ['- a\n', /must be a mapping/],
    ];
    for (const [text, reason] of cases) {
      await assert.rejects(open(t, text), (error: Error & { code: string }) => {
        assert.match(error.message, reason, text);
        assert.equal(error.code, 'CONFIG_INVALID');
        assert.doesNotMatch(error.message, /hunter2|aaaaaa/);
        return true;
      });
    }
  });

  it('counts anew when it changes, and a broken change leaves the rules of before', async (t) => {
    const { file, now, warnings } = await open(t, `users: {ada: ${hash}}\n${rules}`);
    const until = async (seen: () => Promise<boolean>): Promise<void> => {
      while (!(await seen())) await new Promise((resolve) => setTimeout(resolve, 50));
    };
    await writeFile(file, `users: {ada: hunter2}\n${rules}`);
    await until(async () => (await now()) && warnings.length > 0);
    assert.match(warnings[0] ?? '', /access\.yaml:1:14: .*; the earlier rules stay in effect$/);
    assert.ok((await (await now()).accounts()).has('ada'));
    await writeFile(file, `users: {eve: ${hash}}\n${rules}`);
    await until(async () => (await (await now()).accounts()).has('eve'));
    assert.equal(warnings.length, 1);
  });

  it('with a rule for a removed user gives a warning, and the user loses access', async (t) => {
    const text = `users: {eve: ${hash}}\nrules:\n  - users: [eve, ada]\n    repositories: x\n    actions: pull\n`;
    const { warnings, now } = await open(t, text);
    assert.match(warnings.join(), /access\.yaml:3:18: there is no user "ada"$/);
    assert.ok(!(await (await now()).accounts()).has('ada'));
  });
});
