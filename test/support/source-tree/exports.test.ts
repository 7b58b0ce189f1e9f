import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { testOnlyExports, unusedExports } from './exports.ts';
import type { SourceFile } from './reading.ts';

const file = (path: string, text: string): SourceFile => ({ path, text });

describe('the check of exports', () => {
  it('finds exports that no other file imports, even if their own file uses them', () => {
    const src = [
      file('model/a.ts', 'export const a = 1;\nexport const b = a;\nexport interface C {}\nexport type D = C;'),
      file('wire/x.ts', "import { b, type D as E } from '../model/a.ts';"),
    ];
    assert.deepEqual(unusedExports(src, []), ['model/a.ts: a', 'model/a.ts: C']);
  });

  it('lets the same name in another file be another', () => {
    const src = [
      file('model/a.ts', 'export const a = 1;'),
      file('model/b.ts', 'export const a = 1;'),
      file('wire/x.ts', "import { a } from '../model/b.ts';"),
    ];
    assert.deepEqual(unusedExports(src, []), ['model/a.ts: a']);
  });

  it('counts imports of files beside src, and of bin from the build', () => {
    const src = [
      file('model/a.ts', 'export const a = 1;\nexport const b = 2;\nexport const c = 3;'),
      file('program/main.ts', 'export const main = 1;'),
      file('program/other.ts', 'export const main = 1;'),
    ];
    const users = [
      file('model/a.test.ts', "import { a } from '../../src/model/a.ts';"),
      file('generate.ts', "import { b } from '../src/model/a.ts';"),
      file('ocictl.js', "const { main } = require('../dist/main.cjs');"),
    ];
    assert.deepEqual(unusedExports(src, users), ['model/a.ts: c', 'program/other.ts: main']);
  });

  it('counts re-exports of the public library as used', () => {
    const src = [
      file('model/a.ts', 'export const a = 1;\nexport interface B {}\nexport const c = 3;'),
      file('model/b.ts', 'export const d = 1;'),
      file('index.ts', "export { a as renamed, type B } from './model/a.ts';"),
      file('server.ts', "export * from './model/b.ts';"),
    ];
    assert.deepEqual(unusedExports(src, []), ['model/a.ts: c']);
  });

  it('follows re-exports to their origin', () => {
    const src = [
      file('model/a.ts', 'export const a = 1;\nexport const b = 2;'),
      file('model/all.ts', "export * from './a.ts';\nexport * from './some.ts';"),
      file('model/some.ts', "export { c, d } from './c.ts';"),
      file('model/c.ts', 'export const c = 1;\nexport const d = 1;'),
      file('wire/x.ts', "import { a, c } from '../model/all.ts';"),
    ];
    assert.deepEqual(unusedExports(src, []), ['model/a.ts: b', 'model/some.ts: d']);
  });

  it('counts everything where a whole module is taken', () => {
    const src = [
      file('model/a.ts', 'export const a = 1;\nexport const b = 2;'),
      file('model/b.ts', 'export const a = 1;\nexport const b = 2;'),
      file('wire/x.ts', "import * as all from '../model/a.ts';\nconst { a } = await import('../model/b.ts');"),
    ];
    assert.deepEqual(unusedExports(src, []), ['model/b.ts: b']);
  });

  it('lists exports that tests alone import', () => {
    const src = [file('model/a.ts', 'export const a = 1;\nexport const b = 2;\nexport const c = 3;')];
    const tests = [file('a.test.ts', "import { a, b } from '../src/model/a.ts';")];
    const others = [file('bench.ts', "import { a } from '../src/model/a.ts';")];
    assert.deepEqual(testOnlyExports(src, tests, others), ['model/a.ts: b']);
    assert.deepEqual(unusedExports(src, [...tests, ...others]), ['model/a.ts: c']);
  });
});
