import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { is, RepositoryGraph } from '../../../src/storage/collect/graph.ts';

describe('the graph of a repository', () => {
  it('keeps all referrers of a manifest, also more than a call takes arguments', () => {
    const graph = new RepositoryGraph();
    const count = 200_000;
    for (let number = 0; number <= count; number += 1) graph.set(number, is.revision);
    for (let number = 1; number <= count; number += 1) graph.leads.add(0, number);
    graph.keep([0]);
    assert.ok(graph.has(1, is.kept) && graph.has(count, is.kept));
  });
});
