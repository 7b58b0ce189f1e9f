import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AccessRule, actionsIn, mayList, repositoryPattern } from '../../src/model/access-rules.ts';

function covers(pattern: string, name: string): boolean {
  return repositoryPattern(pattern)?.(name) ?? false;
}

function rule(who: AccessRule['who'], pattern: string, ...actions: ('pull' | 'push' | 'delete')[]): AccessRule {
  const covered = repositoryPattern(pattern);
  assert.ok(covered);
  return { who, repositories: [covered], actions: new Set(actions), catalog: false };
}

describe('a pattern of repositories', () => {
  it('covers whole names: a star within a part, two for parts', () => {
    const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
      ['app', ['app'], ['ap', 'apps', 'app/x', 'x/app']],
      ['team/app', ['team/app'], ['team', 'team/app/x', 'team/apps', 'steam/app', 'team-app']],
      ['team/*', ['team/app', 'team/x'], ['team', 'team/a/b', 'teams/app']],
      ['team/**', ['team/app', 'team/a/b/c'], ['team', 'teams/app', 'x/team/app']],
      ['**', ['a', 'a/b/c'], []],
      ['*', ['a', 'a.b-c'], ['a/b']],
      ['team/*-app', ['team/web-app', 'team/-app'], ['team/app', 'team/web-apps', 'team/a/b-app']],
      ['a*b*c', ['abc', 'axbxc', 'abbcc'], ['ab', 'acb', 'abcd']],
      ['**/cache', ['a/cache', 'a/b/cache'], ['cache', 'a/cache/b']],
      ['a/**/b/**/c', ['a/x/b/y/c', 'a/b/b/b/c', 'a/x/y/b/z/b/w/c'], ['a/b/c', 'a/x/b/c', 'a/b/y/c']],
      ['team.x/app', ['team.x/app'], ['teamyx/app']],
      ['a*b', ['ab', 'axb', 'abab'], ['aba', 'a/b']],
      ['*-*-x', ['a-b-x', 'a-b-c-x', '--x'], ['a-x', 'a-b-xy', 'a-/b-x']],
      ['**/ci-*', ['a/ci-1', 'a/b/ci-'], ['ci-1', 'a/ci-1/b']],
    ];
    for (const [pattern, covered, others] of cases) {
      for (const name of covered) assert.ok(covers(pattern, name), `${pattern} covers ${name}`);
      for (const name of others) assert.ok(!covers(pattern, name), `${pattern} does not cover ${name}`);
    }
  });

  it('is refused where no name could fit', () => {
    for (const pattern of [
      '',
      '/',
      'team/',
      '/team',
      'Team/app',
      'a**',
      'team/app:1',
      'a b',
      '[a]',
      'a?',
      '{user}/x',
    ]) {
      assert.equal(repositoryPattern(pattern), undefined, pattern);
    }
  });

  it('with many stars costs no more than a long name is long', () => {
    const pattern = `${'*a'.repeat(60)}b`;
    const deep = `${'**/a/'.repeat(20)}b`;
    for (let i = 0; i < 100; i += 1) {
      assert.ok(!covers(pattern, 'a'.repeat(255)));
      assert.ok(!covers(deep, 'a/'.repeat(127).slice(0, -1)));
    }
  });
});

describe('rules of access', () => {
  const rules = [
    rule(new Set(['ada']), 'team/**', 'pull', 'push'),
    rule(new Set(['ada', 'eve']), 'team/app', 'delete'),
    rule('users', 'shared/*', 'pull'),
    rule('anybody', 'public/*', 'pull'),
    { ...rule(new Set(['eve']), 'x'), catalog: true },
  ];

  it('add up, and allow nothing that none of them allows', () => {
    const may = (user: string | undefined, name: string): string => [...actionsIn(rules, user, name)].sort().join();
    assert.equal(may('ada', 'team/app'), 'delete,pull,push');
    assert.equal(may('ada', 'team/other'), 'pull,push');
    assert.equal(may('eve', 'team/app'), 'delete');
    assert.equal(may('eve', 'team/other'), '');
    assert.equal(may('eve', 'shared/x'), 'pull');
    assert.equal(may(undefined, 'shared/x'), '');
    for (const user of ['ada', 'eve', 'nobody', undefined]) assert.equal(may(user, 'public/x'), 'pull');
    assert.deepEqual([mayList(rules, 'eve'), mayList(rules, 'ada'), mayList(rules, undefined)], [true, false, false]);
  });
});
