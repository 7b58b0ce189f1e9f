import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ScriptLoader } from '../../src/packaging/script-loader.ts';
import { projectRoot } from '../support/project.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

const folder = join(projectRoot, 'dist', 'main');

interface Part {
  readonly file: string;
  readonly name: string;
  readonly text: string;
  /** That its text begins at in the file. */
  readonly line: number;
}

async function allParts(): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for (const file of await readdir(folder)) {
    const lines = (await readFile(join(folder, file), 'latin1')).split('\n');
    if (lines[0] !== '//parts') continue;
    for (const [index, line] of lines.entries()) {
      const [, name, start] = /^\/\/part (\S+) (\d+)$/.exec(line) ?? [];
      if (name === undefined) continue;
      const text = lines.slice(index + 1, lines.indexOf('//end', index)).join('\n');
      parts.push({ file, name, text, line: Number(start) });
      assert.equal(Number(start), index + 2, `${file} ${name}`);
    }
  }
  return parts;
}

/** Those that a part loads: while it runs, or later as well. */
function loadedBy({ text }: Part, { later = false } = {}): readonly string[] {
  return [...text.matchAll(/(=>\s*)?\brequire\(\s*"\.\/([^"]+)"\s*\)\.([$\w]+)\(\)/g)].flatMap(
    ([, late, file, name]) => (late === undefined || later ? [`${file} ${name}`] : []),
  );
}

describe('the scripts of dist/main, several in a file', () => {
  it('load each other in no circle', async () => {
    const parts = new Map((await allParts()).map((part) => [`${part.file} ${part.name}`, part]));
    assert.ok(parts.size > 100, String(parts.size));
    const done = new Set<string>();
    const follow = (id: string, way: readonly string[]): void => {
      assert.ok(!way.includes(id), [...way, id].join(' → '));
      if (done.has(id)) return;
      const part = parts.get(id);
      assert.ok(part, id);
      for (const next of loadedBy(part)) follow(next, [...way, id]);
      done.add(id);
    };
    for (const id of parts.keys()) follow(id, []);
    assert.ok([...parts.values()].some((part) => loadedBy(part).length > 3));
  });

  it('lead from the library to nothing of the command line, early or late', async () => {
    const parts = new Map((await allParts()).map((part) => [`${part.file} ${part.name}`, part]));
    const index = await readFile(join(projectRoot, 'dist', 'index.js'), 'utf8');
    const [, file, name] = /'\.\/main\/([^']+)'[\s\S]*scripts\.([$\w]+)\(\)/.exec(index) ?? [];
    const reached = new Set([`${file} ${name}`]);
    for (const id of reached) {
      const part = parts.get(id);
      assert.ok(part, id);
      assert.doesNotMatch(part.text, /CommanderError/, id);
      for (const next of loadedBy(part, { later: true })) reached.add(next);
    }
    assert.ok(reached.size > 50, String(reached.size));
    assert.ok([...parts.values()].some(({ text }) => text.includes('CommanderError')));
  });

  it('give the same names to our loader and to that of Node', async () => {
    const require = createRequire(import.meta.url);
    const loader = new ScriptLoader();
    for (const { file, name } of await allParts()) {
      const scripts = require(join(folder, file)) as Readonly<Record<string, () => object>>;
      const given = scripts[name]?.();
      assert.ok(given, `${file} ${name}`);
      assert.equal(scripts[name]?.(), given);
      assert.deepEqual(
        Object.keys(loader.load(join(folder, file), name) as object),
        Object.keys(given),
        `${file} ${name}`,
      );
    }
  });

  it('are named in stack traces by the line of their file, and run again after a failure', async (t) => {
    const file = join(await temporaryDirectory(t), 'two.cjs');
    const wrapped = (text: string) => `(function(exports,require,module,__filename,__dirname){${text}\n})\n//end\n);\n`;
    const failing = '\nmodule.exports={};\nif(!globalThis.isThere)throw new Error("further down");';
    await writeFile(
      file,
      `//parts\npart("$0",\n//part $0 4\n${wrapped('')}part("$1",\n//part $1 10\n${wrapped(failing)}`,
    );
    const loader = new ScriptLoader();
    const line = (await readFile(file, 'utf8')).split('\n').findIndex((text) => text.includes('further down')) + 1;
    assert.throws(
      () => loader.load(file, '$1'),
      (error) => error instanceof Error && error.stack?.includes(`${file}:${line}:`) === true,
    );
    assert.throws(() => loader.load(file, '$2'), /two\.cjs has no part \$2/);
    Object.assign(globalThis, { isThere: true });
    t.after(() => Reflect.deleteProperty(globalThis, 'isThere'));
    assert.deepEqual(loader.load(file, '$1'), {});
  });
});
