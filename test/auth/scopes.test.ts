import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { catalogScope, repositoryScope, ScopeSet } from '../../src/auth/scopes.ts';

describe('a set of scopes', () => {
  it('joins the actions on a resource, in one order', () => {
    const set = ScopeSet.of(['repository:b:push', 'repository:a/b:pull', 'repository:b:pull,push', '']);
    assert.deepEqual(set.toStrings(), ['', 'repository:a/b:pull', 'repository:b:pull,push']);
    assert.deepEqual(
      ScopeSet.of(['repository:b:push,pull']).toStrings(),
      ScopeSet.of(['repository:b:pull,push']).toStrings(),
    );
  });

  it('contains what is less', () => {
    const held = ScopeSet.of([repositoryScope('a', 'pull', 'push'), catalogScope]);
    for (const wanted of [[], ['repository:a:pull'], ['repository:a:push,pull'], ['registry:catalog:read']]) {
      assert.ok(held.contains(ScopeSet.of(wanted)), String(wanted));
    }
    for (const wanted of ['repository:a:delete', 'repository:b:pull', 'registry:other:*']) {
      assert.ok(!held.contains(ScopeSet.of([wanted])), wanted);
    }
  });

  it('keeps names with ports apart from actions', () => {
    assert.deepEqual(ScopeSet.of(['repository:host:5000/a:pull']).toStrings(), ['repository:host:5000/a:pull']);
  });

  it('joins with another', () => {
    const union = ScopeSet.of(['repository:a:pull']).union(ScopeSet.of(['repository:a:push', 'repository:b:pull']));
    assert.deepEqual(union.toStrings(), ['repository:a:pull,push', 'repository:b:pull']);
  });
});
