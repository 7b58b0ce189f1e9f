import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exportsOf, importsOf, type SourceFile } from './reading.ts';

const file = (path: string, text: string): SourceFile => ({ path, text });

describe('reading a source file', () => {
  it('sees every way to import', () => {
    const text = [
      "import a from './a.ts';",
      "import type { B } from './b.ts';",
      "import { type C, type D } from './c.ts';",
      "import { type E, f } from './d.ts';",
      "import './e.ts';",
      "export * from './f.ts';",
      "export type { G } from './g.ts';",
      "const h = await import('./h.ts');",
      "import {\n  i,\n  type J,\n} from './i.ts';",
      "// import k from './k.ts';",
      "/* import l from './l.ts'; */",
      "import * as m from './m.ts';",
      "import n, { o } from './n.ts';",
    ].join('\n');
    const seen = importsOf(file('model/x.ts', text)).map(({ specifier, kind }) => `${specifier} ${kind}`);
    assert.deepEqual(seen, [
      './a.ts static',
      './b.ts type',
      './c.ts type',
      './d.ts static',
      './e.ts static',
      './f.ts static',
      './g.ts type',
      './i.ts static',
      './m.ts static',
      './n.ts static',
      './h.ts late',
    ]);
  });

  it('sees which names are taken, as the other file calls them', () => {
    const text = [
      "import a, { b, type c as d } from './1.ts';",
      "import type { E } from './2.ts';",
      "import type F from './3.ts';",
      "import * as g from './4.ts';",
      "import './5.ts';",
      "export { h, i as j } from './6.ts';",
      "export * from './7.ts';",
      "export * as k from './8.ts';",
      "const { l, m: n } = await import('./9.ts');",
      "const o = (await import('./10.ts')).o;",
      "const [p] = await Promise.all([import('./11.ts')]);",
      "let q: import('./12.ts').Q;",
      "import('./13.ts').then((r) => r);",
    ].join('\n');
    const seen = importsOf(file('model/x.ts', text)).map(({ specifier, names }) => `${specifier} ${names.join(' ')}`);
    assert.deepEqual(seen, [
      './1.ts default b c',
      './2.ts E',
      './3.ts default',
      './4.ts *',
      './5.ts ',
      './6.ts h i',
      './7.ts ',
      './8.ts *',
      './9.ts l m',
      './10.ts o',
      './11.ts *',
      './12.ts Q',
      './13.ts *',
    ]);
  });

  it('sees every way to export', () => {
    const text = [
      'export function a(): void;',
      'export function a(b?: string): void {}',
      'export async function c() {}',
      'export async function* d() {}',
      'export function* e() {}',
      'export const f = 1, inner = { export: 2 };',
      'export abstract class G {}',
      'export interface H {}',
      'export type I = string;',
      'export { j, k as l };',
      "export {\n  type M,\n  n as o,\n} from './n.ts';",
      "export type { P } from './p.ts';",
      "export * as q from './q.ts';",
      "export * from './r.ts';",
      'export default 3;',
      '/**',
      ' * export const s = 4;',
      ' */',
      'const t = 5;',
    ].join('\n');
    const { names, passedOn } = exportsOf(file('model/x.ts', text));
    assert.equal([...names].sort().join(' '), 'G H I M P a c d default e f j l o q');
    assert.deepEqual(passedOn, ['./r.ts']);
  });
});
