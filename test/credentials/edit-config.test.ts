import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openConfigFileStore } from '../../src/credentials/config-file.ts';
import type { Credential } from '../../src/credentials/credential.ts';
import { editConfig } from '../../src/credentials/edit-config.ts';
import { isOciError } from '../../src/model/errors.ts';
import { scratch } from './scratch.ts';

const ada: Credential = { kind: 'password', username: 'ada', password: 'secret', source: 'test' };

describe('several processes changing one config.json', () => {
  it('lose no entry', async (t) => {
    const { write, read, configFile, directory } = await scratch(t);
    await write('{"keep": true}');
    const program = join(directory, 'login.mjs');
    const module = new URL('../../src/credentials/config-file.js', import.meta.url).href;
    await writeFile(
      program,
      `import { openConfigFileStore } from ${JSON.stringify(module)};
      const [file, name] = process.argv.slice(2);
      const store = openConfigFileStore(file);
      for (let i = 0; i < 5; i++) {
        await store.store(name + i, { kind: 'password', username: name, password: 'p', source: '' });
      }`,
    );
    const codes = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (name) => {
        const child = spawn(process.execPath, [program, configFile, name], { stdio: 'inherit' });
        const [code] = await once(child, 'exit');
        return code;
      }),
    );
    assert.deepEqual(codes, [0, 0, 0, 0]);
    const written = JSON.parse(await read());
    assert.equal(Object.keys(written.auths).length, 20);
    assert.equal(written.keep, true);
    assert.deepEqual((await readdir(directory)).sort(), ['config.json', 'login.mjs']);
  });

  it('leave the old file whole when one is killed before it renames, and clean up after it', async (t) => {
    const { write, read, configFile, directory } = await scratch(t);
    await write('{"keep": true}');
    const program = join(directory, 'killed.mjs');
    const module = new URL('../../src/credentials/config-file.js', import.meta.url).href;
    await writeFile(
      program,
      `import fs from 'node:fs/promises';
      import { syncBuiltinESMExports } from 'node:module';
      fs.rename = () => process.kill(process.pid, 'SIGKILL');
      syncBuiltinESMExports();
      const { openConfigFileStore } = await import(${JSON.stringify(module)});
      await openConfigFileStore(${JSON.stringify(configFile)}).store('h', ${JSON.stringify(ada)});`,
    );
    const [, signal] = await once(spawn(process.execPath, [program], { stdio: 'inherit' }), 'exit');
    assert.equal(signal, 'SIGKILL');
    assert.equal(await read(), '{"keep": true}');
    assert.equal((await readdir(directory)).length, 4, 'a draft and a lock lie there');
    await openConfigFileStore(configFile).store('h', ada);
    assert.deepEqual((await readdir(directory)).sort(), ['config.json', 'killed.mjs']);
  });

  it('do not wait for a process that died with the lock', async (t) => {
    const { configFile } = await scratch(t);
    const child = spawn(process.execPath, ['-e', '0']);
    await once(child, 'exit');
    await writeFile(`${configFile}.lock`, `${child.pid}@${hostname()} x`);
    await openConfigFileStore(configFile).store('h', ada);
    await assert.rejects(stat(`${configFile}.lock`));
  });

  it('break a lock of another machine only when it is old', async (t) => {
    const { configFile } = await scratch(t);
    const lock = `${configFile}.lock`;
    await writeFile(lock, '1@elsewhere x');
    const signal = AbortSignal.timeout(150);
    await assert.rejects(openConfigFileStore(configFile).store('h', ada, { signal }));
    assert.equal(await readFile(lock, 'utf8'), '1@elsewhere x');
    for (const ageMs of [60_000, -3_600_000]) {
      const then = new Date(Date.now() - ageMs);
      await writeFile(lock, '1@elsewhere x');
      await utimes(lock, then, then);
      await openConfigFileStore(configFile).store('h', ada);
      await assert.rejects(stat(lock));
    }
  });

  it('change nothing when another process has taken over the lock', async (t) => {
    const { configFile, write } = await scratch(t);
    await write('{"keep": true}');
    const lock = `${configFile}.lock`;
    const editing = editConfig(configFile, (config) => {
      writeFileSync(lock, '1@elsewhere x');
      return { ...config, changed: true };
    });
    await assert.rejects(editing, (error) => isOciError(error, 'UNAVAILABLE'));
    assert.equal(await readFile(configFile, 'utf8'), '{"keep": true}');
    assert.equal(await readFile(lock, 'utf8'), '1@elsewhere x');
  });
});
