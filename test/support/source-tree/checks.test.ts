import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  crowdedFolders,
  fileCycles,
  folderCycles,
  hintViolations,
  lengthViolations,
  medianLines,
  nameViolations,
  purityViolations,
  strayFiles,
} from './checks.ts';
import type { SourceFile } from './reading.ts';

const file = (path: string, text: string): SourceFile => ({ path, text });
const files = (folder: string, count: number) =>
  Array.from({ length: count }, (_, at) => file(`${folder}/${at}.ts`, ''));

describe('a check of the source tree', () => {
  it('finds a cycle of three folders', () => {
    const found = folderCycles([
      file('a/1.ts', "import '../b/1.ts';"),
      file('b/1.ts', "import '../c/1.ts';"),
      file('c/1.ts', "const x = import('../a/2.ts');"),
      file('d/1.ts', "import '../a/1.ts';"),
    ]);
    assert.deepEqual(found, ['a → b → c → a']);
  });

  it('finds I/O in the model', () => {
    const found = purityViolations([file('model/a.ts', "import { readFile } from 'node:fs/promises';")]);
    assert.deepEqual(found, ['model/a.ts imports node:fs/promises']);
  });

  it('finds hints that begin with a capital letter or end with a full stop, but no names', () => {
    const found = hintViolations([
      file('a.ts', "throw new OciError('USAGE', 'bad', { hint: 'Do it.' });"),
      file('b.ts', "const hint = isOld ? 'renew it.' : 'wait';"),
      file('c.ts', "throw configError(origin, `bad`, 'Write it');"),
      file('d.ts', "const hint = 'Docker Hub has it'; const text = { hint: 'do it', message: 'Bad.' };"),
    ]);
    assert.deepEqual(found, ['a.ts: Do it.', 'b.ts: renew it.', 'c.ts: Write it']);
  });

  it('finds long files, except where the first comment says why', () => {
    const body = 'x;\n'.repeat(300);
    assert.deepEqual(lengthViolations([file('a.ts', body)]), []);
    assert.equal(lengthViolations([file('a.ts', `${body}x;\n`)]).length, 1);
    assert.equal(lengthViolations([file('a.ts', `/** A parser. */\n${body}`)]).length, 1);
    assert.deepEqual(
      lengthViolations([file('a.ts', `/** A table: more than 300 lines in one place. */\n${body}`)]),
      [],
    );
  });

  it('finds names that say nothing', () => {
    const found = nameViolations([
      file('utils/a.ts', ''),
      file('model/helpers.ts', ''),
      file('common.test.ts', ''),
      file('model/utility.ts', ''),
    ]);
    assert.deepEqual(found, ['utils/a.ts', 'model/helpers.ts', 'common.test.ts']);
  });

  it('finds circles between files, each once, by types too', () => {
    const found = fileCycles([
      file('model/c.ts', "import type { A } from './a.ts';"),
      file('model/b.ts', "export * from './c.ts';"),
      file('model/a.ts', "import { b } from './b.ts';\nimport { x } from '../wire/x.ts';"),
      file('model/into.ts', "import { a } from './a.ts';"),
      file('wire/x.ts', "import { y } from './y.ts';"),
      file('wire/y.ts', "import { type X } from './x.ts';"),
    ]);
    assert.deepEqual(found, [
      ['model/a.ts', 'model/b.ts', 'model/c.ts'],
      ['wire/x.ts', 'wire/y.ts'],
    ]);
  });

  it('tells two circles with a file in common as one', () => {
    const found = fileCycles([
      file('a.ts', "import './b.ts';"),
      file('b.ts', "import './a.ts';\nimport './c.ts';"),
      file('c.ts', "import './b.ts';"),
    ]);
    assert.deepEqual(found, [['a.ts', 'b.ts', 'c.ts']]);
  });

  it('finds no circle where one import is late', () => {
    const found = fileCycles([
      file('commands/table.ts', "const load = async () => (await import('./help.ts')).help;"),
      file('commands/help.ts', "import { table } from './table.ts';"),
    ]);
    assert.deepEqual(found, []);
  });

  it('finds files directly in src, but for the public ones and the version', () => {
    const found = strayFiles(
      ['index.ts', 'version.ts', 'server.ts', 'storage.ts', 'docker.ts', 'app.ts', 'model/x.ts'].map((path) =>
        file(path, ''),
      ),
    );
    assert.deepEqual(found, ['app.ts']);
  });

  it('finds folders with more than 25 files, those in their folders not counted', () => {
    const found = crowdedFolders([...files('model', 25), ...files('wire', 26), ...files('model/deep', 26)]);
    assert.deepEqual(found, ['wire has 26 files', 'model/deep has 26 files']);
  });

  it('counts files beside commands, but not the commands', () => {
    const commands = Array.from({ length: 30 }, (_, at) => `command${at}`);
    const own = commands.map((name) => file(`commands/${name}.ts`, ''));
    assert.deepEqual(crowdedFolders([...own, ...files('commands', 25)], commands), []);
    assert.deepEqual(crowdedFolders([...own, ...files('commands', 26)], commands), ['commands has 26 files']);
    const elsewhere = commands.map((name) => file(`model/${name}.ts`, ''));
    assert.deepEqual(crowdedFolders(elsewhere, commands), ['model has 30 files']);
  });

  it('finds the median of lines', () => {
    const long = (count: number) => file('a.ts', 'x;\n'.repeat(count));
    assert.equal(medianLines([long(300), long(1), long(90)]), 90);
    assert.equal(medianLines([]), 0);
  });
});
