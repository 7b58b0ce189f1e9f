import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTag, type Tag } from '../../../src/model/reference/reference.ts';
import { chooseTags, covered, needsList, ofList, type TagRule } from '../../../src/sync/tags/tag-rule.ts';

const origin = { kind: 'file', name: 'mirror.yaml', line: 3 } as const;
const tags = (words: string): Tag[] => words.split(' ').map(parseTag);
const listed = tags('1.0 1.10 1.9 2.0-rc1 2.0 2.0-alpine latest sha256-x');

function rule(more: Partial<TagRule>): TagRule {
  return { origin, text: 'a rule', names: [], filters: undefined, newest: undefined, ...more };
}

const ones = rule({ filters: [(all) => all.filter((tag) => tag.startsWith('1.'))] });

describe('rules over a list of tags', () => {
  it('choose all of it if there are none', () => {
    assert.deepEqual(chooseTags(listed, []).tags, listed);
    assert.ok(needsList([]));
  });

  it('choose what any of them chooses, once, with what is named first', () => {
    const named = rule({ names: tags('edge 1.9') });
    const { tags: chosen, used } = chooseTags(listed, [ones, named]);
    assert.deepEqual(chosen, tags('edge 1.9 1.0 1.10'));
    assert.deepEqual(used, [ones]);
    assert.ok(needsList([ones, named]));
    assert.ok(!needsList([named]));
  });

  it('say which of them chose nothing', () => {
    const nothing = rule({ filters: [() => []] });
    assert.deepEqual(chooseTags(listed, [nothing, ones]).used, [ones]);
  });

  it('choose the highest versions, and no tag that is none', () => {
    const newest = rule({ filters: [], newest: 3 });
    assert.deepEqual(chooseTags(listed, [newest]).tags, tags('2.0-rc1 2.0 2.0-alpine'));
    assert.deepEqual(chooseTags(listed, [{ ...ones, newest: 2 }]).tags, tags('1.10 1.9'));
  });

  it('cover tags that are only not among the newest', () => {
    assert.deepEqual(covered(listed, { ...ones, newest: 1 }), tags('1.0 1.10 1.9'));
    assert.deepEqual(covered(listed, rule({ names: tags('2.0') })), tags('2.0'));
  });

  it('of several repositories choose a name where it is', () => {
    const anywhere = ofList(rule({ names: tags('2.0 3.0') }));
    assert.ok(needsList([anywhere]));
    assert.deepEqual(chooseTags(listed, [anywhere]).tags, tags('2.0'));
  });
});
