import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { checkResultFile, type ResultFile, writeResultFile } from '../../src/files/result-file.ts';
import { isOciError } from '../../src/model/errors.ts';
import { temporaryDirectory } from '../support/sandbox.ts';

describe('the file of a result', () => {
  it('is written whole, in place of what was there, and the check leaves no trace', async (t) => {
    const directory = await temporaryDirectory(t);
    const result = named(join(directory, 'plan.json'));
    await checkResultFile(result);
    assert.deepEqual(await readdir(directory), []);
    await writeResultFile(result, 'first');
    await checkResultFile(result);
    assert.equal(await readFile(result.file, 'utf8'), 'first');
    await writeResultFile(result, 'second');
    assert.equal(await readFile(result.file, 'utf8'), 'second');
    assert.deepEqual(await readdir(directory), ['plan.json']);
  });

  it('is what a link leads to: the link stays', async (t) => {
    const directory = await temporaryDirectory(t);
    await mkdir(join(directory, 'kept'));
    await writeFile(join(directory, 'kept', 'file'), 'old');
    const result = named(join(directory, 'link'));
    await symlink(join('kept', 'file'), result.file);
    await writeResultFile(result, 'new');
    assert.ok((await lstat(result.file)).isSymbolicLink());
    assert.equal(await readFile(join(directory, 'kept', 'file'), 'utf8'), 'new');
  });

  it('is where links lead to, also if nothing is there yet', async (t) => {
    const directory = await temporaryDirectory(t);
    await mkdir(join(directory, 'kept'));
    await symlink('kept', join(directory, 'through'));
    await symlink(join('..', 'kept', 'new'), join(directory, 'kept', 'second'));
    const result = named(join(directory, 'link'));
    await symlink(join('through', 'second'), result.file);
    await checkResultFile(result);
    await writeResultFile(result, 'new');
    assert.ok((await lstat(result.file)).isSymbolicLink());
    assert.equal(await readFile(join(directory, 'kept', 'new'), 'utf8'), 'new');
    assert.deepEqual((await readdir(join(directory, 'kept'))).sort(), ['new', 'second']);
  });

  it('is refused beforehand if it is a link into a directory that is not there, or in a circle', async (t) => {
    const directory = await temporaryDirectory(t);
    const result = named(join(directory, 'link'));
    await symlink(join(directory, 'absent', 'x'), result.file);
    await assert.rejects(checkResultFile(result), /there is no directory \S+absent$/);
    const circle = named(join(directory, 'circle'));
    await symlink('circle', circle.file);
    await assert.rejects(checkResultFile(circle), (error) => isOciError(error, 'STORAGE'));
    assert.deepEqual((await readdir(directory)).sort(), ['circle', 'link']);
  });

  it('may be a device, which is not replaced', { skip: process.platform === 'win32' }, async () => {
    await checkResultFile(named('/dev/null'));
    await writeResultFile(named('/dev/null'), 'text');
    assert.ok((await lstat('/dev/null')).isCharacterDevice());
  });

  it('is refused beforehand where it cannot be: no directory, a directory, a file as a directory', async (t) => {
    const directory = await temporaryDirectory(t);
    await writeFile(join(directory, 'file'), '');
    const refused = (file: string, message: RegExp): Promise<void> =>
      assert.rejects(
        checkResultFile(named(file)),
        (error) => isOciError(error, 'STORAGE') && message.test(error.message),
      );
    await refused(join(directory, 'absent', 'x'), /^cannot write the plan \S+: there is no directory \S+absent$/);
    await refused(directory, /it is a directory$/);
    await refused(join(directory, 'file', 'x'), /a part of this path is a file, not a directory$/);
  });
});

function named(file: string): ResultFile {
  return { file, what: 'plan', flag: '--plan' };
}
