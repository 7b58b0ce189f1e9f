import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { projectRoot } from '../../support/project.ts';
import { copying } from './failures/copying.ts';
import { inside } from './failures/inside.ts';
import { harmless, machine } from './failures/machine.ts';
import { registries } from './failures/registries.ts';
import { signing } from './failures/signing.ts';
import { synchronising } from './failures/synchronising.ts';
import { usage } from './failures/usage.ts';

const failures = { ...usage, ...registries, ...synchronising, ...copying, ...machine, ...signing, ...inside };

const document = await readFile(join(projectRoot, 'docs', 'exit-codes.md'), 'utf8');
const [, described = ''] = document.split('## What the common failures look like');
// The rows of each table, without the heading.
const [statuses, excused] = described
  .split(/^\| situation \|.*$/m)
  .map(rowsOf)
  .slice(1);

describe('the common failures in docs/exit-codes.md', () => {
  it('are those that are tried here', () => {
    assert.deepEqual(situationsIn(statuses).sort(), Object.keys(failures).sort());
    assert.deepEqual(situationsIn(excused), Object.keys(harmless));
  });

  for (const [situation = '', status] of statuses ?? []) {
    for (const [at, { run, error, hint }] of (failures[situation] ?? []).entries()) {
      it(`${situation} (${at + 1}): ${status}`, async (t) => {
        const result = await run(t);
        if (!result) return;
        const { exitCode, stderr } = result;
        assert.equal(exitCode, Number(status), stderr);
        const [, said = '', advice = ''] = /^error: (.*)(?:\nhint: (.*))?$/m.exec(stderr) ?? [];
        assert.match(said, error);
        assert.match(advice, hint, stderr);
        assert.doesNotMatch(stderr, /bug in ocictl|^ +at /m);
      });
    }
  }

  for (const [situation, tries] of Object.entries(harmless)) {
    for (const [at, { run, error }] of tries.entries()) {
      it(`${situation} (${at + 1}): no failure`, async (t) => {
        const result = await run(t);
        assert.equal(result?.exitCode, 0, result?.stderr);
        assert.match(result?.stderr ?? '', error);
      });
    }
  }
});

function rowsOf(table: string): (readonly [situation: string, second: string])[] {
  return [...table.matchAll(/^\| (.*?) \| (.*?) \|/gm)].map(([, situation = '', second = '']) => [situation, second]);
}

function situationsIn(table: ReturnType<typeof rowsOf> | undefined): string[] {
  return (table ?? []).map(([situation]) => situation);
}
