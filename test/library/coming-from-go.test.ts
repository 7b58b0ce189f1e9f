import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { errorCodes } from '../../src/model/errors.ts';
import { start } from '../support/process.ts';
import { projectRoot } from '../support/project.ts';
import { sandbox, temporaryDirectory } from '../support/sandbox.ts';
import { goNames } from './go-names.ts';

interface Row {
  /** The second-level heading above it. */
  readonly section: string;
  readonly go: string;
  /** Our names and error codes; empty if there is no counterpart. */
  readonly here: readonly string[];
  readonly note: string;
}

const rows = readTables(await readFile(join(projectRoot, 'docs', 'coming-from-go.md'), 'utf8'));

function readTables(text: string): Row[] {
  let section = '';
  return text.split('\n').flatMap((line) => {
    section = /^## (.+)$/.exec(line)?.[1] ?? section;
    const [, go = '', here = '', note = ''] = line.split('|').map((cell) => cell.trim());
    if (!line.startsWith('|') || go === 'Go' || /^-+$/.test(go)) return [];
    const names = here === '—' ? [] : here.split(', ').map((name) => /^`([^`]+)`$/.exec(name)?.[1] ?? `?${name}`);
    return [{ section, go: go.replaceAll('`', ''), here: names, note }];
  });
}

/** The compiler's messages about a program that uses these exports of the library, as types or as values. */
async function check(t: TestContext, names: readonly string[]): Promise<string> {
  const directory = await temporaryDirectory(t);
  const lines = names.map((name, i) => {
    const [root = '', ...members] = name.split('.');
    const type = /^[A-Z]/.test(root) ? `library.${root}` : `typeof library.${root}`;
    return `export type T${i} = ${type}${members.map((member) => `['${member}']`).join('')}; // ${name}`;
  });
  const entries = ['ocictl', 'ocictl/server', 'ocictl/storage', 'ocictl/docker'];
  await writeFile(join(directory, 'library.ts'), entries.map((entry) => `export * from '${entry}';`).join('\n'));
  await writeFile(join(directory, 'names.ts'), ["import type * as library from './library.ts';", ...lines].join('\n'));
  const compilerOptions = {
    noEmit: true,
    incremental: false,
    rootDir: '/',
    typeRoots: [join(projectRoot, 'node_modules', '@types')],
    allowImportingTsExtensions: true,
    paths: { ocictl: [join(projectRoot, 'src', 'index.ts')], 'ocictl/*': [join(projectRoot, 'src', '*.ts')] },
  };
  const config = { extends: join(projectRoot, 'tsconfig.json'), compilerOptions, include: ['names.ts'] };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  const { env } = await sandbox(t);
  const tsc = join(projectRoot, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout, stderr } = await start(t, process.execPath, [tsc, '-p', '.'], { env, cwd: directory }).result;
  return stdout + stderr;
}

const isCode = (name: string): boolean => /^[A-Z_]+$/.test(name);

describe('the table for those who come from Go', () => {
  it('has every name that they know, once in its package', () => {
    for (const [section, names] of Object.entries(goNames)) {
      const found = rows.filter((row) => row.section === section).map(({ go }) => go);
      assert.deepEqual(
        names.split(/\s+/).filter((name) => name !== '' && !found.includes(name)),
        [],
        section,
      );
      assert.deepEqual(
        found.filter((name, i) => found.indexOf(name) !== i),
        [],
        section,
      );
    }
  });

  it('gives the reason if there is no counterpart', () => {
    const silent = rows.filter(({ here, note }) => here.length === 0 && note === '');
    assert.deepEqual(silent, []);
    assert.ok(rows.some(({ here }) => here.length === 0));
  });

  it('names codes that errors have', () => {
    const codes = rows.flatMap(({ here }) => here).filter(isCode);
    assert.deepEqual(
      codes.filter((code) => !Object.hasOwn(errorCodes, code)),
      [],
    );
    assert.ok(codes.length > 10);
  });

  it('names existing exports and members', async (t) => {
    const notes = rows.flatMap(({ note }) =>
      [...note.matchAll(/`([A-Za-z]+(?:\.[A-Za-z]+)*)`/g)].map((m) => m[1] ?? ''),
    );
    const members = notes.filter((name) => name.includes('.') || /^(?:create|open)[A-Z]/.test(name));
    const names = [...rows.flatMap(({ here }) => here).filter((name) => !isCode(name)), ...members];
    // Beside names that are not there, which would be found.
    const wrong = ['Registry.noSuchMethod', 'NoSuchType', 'noSuchValue'];
    const said = await check(t, [...new Set(names), ...wrong]);
    const errors = said.split('\n').filter((line) => line.includes('error TS'));
    assert.equal(errors.length, wrong.length, said);
    for (const name of ['noSuchMethod', 'NoSuchType', 'noSuchValue']) assert.match(said, new RegExp(name));
  });
});
