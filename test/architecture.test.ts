import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  environmentViolations,
  folderCycles,
  importsOf,
  layerViolations,
  lengthViolations,
  nameViolations,
  purityViolations,
  readSources,
  type SourceFile,
} from './support/layers.ts';
import { projectRoot } from './support/project.ts';

const src = await readSources(join(projectRoot, 'src'));
const tests = await readSources(join(projectRoot, 'test'));

describe('the source tree', () => {
  it('was found', () => {
    assert.ok(src.some(({ path }) => path === 'registry/registry.ts'));
    assert.ok(src.flatMap(importsOf).length > src.length);
  });

  it('imports only what the table of layers allows', () => assert.deepEqual(layerViolations(src), []));

  it('has no cycle between folders', () => assert.deepEqual(folderCycles(src), []));

  it('keeps I/O out of the model', () => assert.deepEqual(purityViolations(src), []));

  it('reads the environment in config, credentials, certs and program alone', () =>
    assert.deepEqual(environmentViolations(src), []));

  it('has no file past 300 lines that does not say why', () =>
    assert.deepEqual(lengthViolations([...src, ...tests]), []));

  it('has no names that say nothing', () => assert.deepEqual(nameViolations([...src, ...tests]), []));
});

describe('the checks themselves, on a made-up tree', () => {
  const file = (path: string, text: string): SourceFile => ({ path, text });

  it('see every way to import', () => {
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

  it('refuse an import against the layers, static, late or as a type', () => {
    const found = layerViolations([
      file('model/a.ts', "import { x } from '../registry/x.ts';"),
      file('wire/a.ts', "import type { x } from '../registry/x.ts';"),
      file('transfer/a.ts', "const x = await import('../remote/x.ts');"),
      file('registry/a.ts', "import { x } from '../model/x.ts';\nimport { y } from './deep/y.ts';"),
      file('storage/drivers/a.ts', "import { x } from '../../wire/x.ts';"),
    ]);
    assert.deepEqual(found, [
      'model/a.ts imports registry/x.ts',
      'wire/a.ts imports registry/x.ts (type)',
      'transfer/a.ts imports remote/x.ts (late)',
      'storage/drivers/a.ts imports wire/x.ts',
    ]);
  });

  it('let a command see the Context as a type and load the server late, and no more', () => {
    const found = layerViolations([
      file(
        'commands/a.ts',
        "import type { Context } from '../app/context.ts';\nconst s = await import('../server/server.ts');",
      ),
      file('commands/b.ts', "import { open } from '../app/context.ts';\nimport { serve } from '../server/server.ts';"),
      file('commands/c.ts', "import { fetch } from '../remote/x.ts';"),
    ]);
    assert.deepEqual(found, [
      'commands/b.ts imports app/context.ts',
      'commands/b.ts imports server/server.ts',
      'commands/c.ts imports remote/x.ts',
    ]);
  });

  it('refuse a folder that the table does not know, and imports that leave src', () => {
    const found = layerViolations([
      file('extra/a.ts', ''),
      file('remote/a.ts', "import { x } from '../../test/x.ts';"),
    ]);
    assert.deepEqual(found, ['extra is not in the table', 'remote/a.ts imports ../test/x.ts']);
  });

  it('find a cycle of three folders', () => {
    const found = folderCycles([
      file('a/1.ts', "import '../b/1.ts';"),
      file('b/1.ts', "import '../c/1.ts';"),
      file('c/1.ts', "const x = import('../a/2.ts');"),
      file('d/1.ts', "import '../a/1.ts';"),
    ]);
    assert.deepEqual(found, ['a → b → c → a']);
  });

  it('find I/O in the model', () => {
    const found = purityViolations([file('model/a.ts', "import { readFile } from 'node:fs/promises';")]);
    assert.deepEqual(found, ['model/a.ts imports node:fs/promises']);
  });

  it('find reads of the environment, but not in comments', () => {
    const found = environmentViolations([
      file('remote/a.ts', 'const home = process.env.HOME;'),
      file('remote/b.ts', "import { env } from 'node:process';"),
      file('remote/c.ts', 'const { env } = process;'),
      file('remote/d.ts', '// process.env is read in config'),
      file('config/e.ts', 'const home = process.env.HOME;'),
    ]);
    assert.deepEqual(found, ['remote/a.ts', 'remote/b.ts', 'remote/c.ts']);
  });

  it('find long files, except where the first comment says why', () => {
    const body = 'x;\n'.repeat(300);
    assert.deepEqual(lengthViolations([file('a.ts', body)]), []);
    assert.equal(lengthViolations([file('a.ts', `${body}x;\n`)]).length, 1);
    assert.equal(lengthViolations([file('a.ts', `/** A parser. */\n${body}`)]).length, 1);
    assert.deepEqual(
      lengthViolations([file('a.ts', `/** A table: more than 300 lines in one place. */\n${body}`)]),
      [],
    );
  });

  it('find names that say nothing', () => {
    const found = nameViolations([
      file('utils/a.ts', ''),
      file('model/helpers.ts', ''),
      file('common.test.ts', ''),
      file('model/utility.ts', ''),
    ]);
    assert.deepEqual(found, ['utils/a.ts', 'model/helpers.ts', 'common.test.ts']);
  });
});
