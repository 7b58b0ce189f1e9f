import assert from 'node:assert/strict';
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hash } from 'bcryptjs';
import { parseRepositoryName, parseTag } from '../../../src/model/reference/reference.ts';
import { buildAttestation, buildImage, buildIndex, pushImage } from '../../support/images.ts';
import { memoryRegistry } from '../../support/memory.ts';
import { inOwnNetwork, startNames } from '../../support/network/own-network.ts';
import { type Running, start } from '../../support/process.ts';
import { makeCertificates } from '../../support/programs.ts';
import { projectRoot } from '../../support/project.ts';
import { startServe } from '../../support/registries.ts';
import { type Scope, sandbox } from '../../support/sandbox.ts';
import { commandsOf, consoleBlocks, patternOf } from './console.ts';

const pages = ['README.md', ...(await readdir(join(projectRoot, 'docs'))).map((name) => join('docs', name))].filter(
  (name) => name.endsWith('.md'),
);

inOwnNetwork(import.meta.url, () => {
  describe('what the documents show on a console', () => {
    for (const page of pages) {
      it(`happens: ${page}`, async (t) => {
        const blocks = consoleBlocks(await readFile(join(projectRoot, page), 'utf8'));
        const run = await openConsole(t);
        for (const { command, output } of blocks.flatMap(commandsOf)) await run(command, output);
      });
    }
  });
});

/** A console where Docker Hub has alpine, and registry.example.com is an empty registry that accepts everything. */
async function openConsole(t: Scope): Promise<(command: string, output: string) => Promise<void>> {
  const { home, env, daemonJson } = await sandbox(t);
  const [work, programs] = [join(home, 'work'), join(home, 'bin')];
  for (const directory of [work, programs]) await mkdir(directory);
  const program = join(programs, 'ocictl');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${join(projectRoot, 'bin', 'ocictl.js')}' "$@"\n`);
  await chmod(program, 0o755);

  const hub = await startServe(t, { registry: await filledHub() });
  await startServe(t, { host: '127.0.0.1', port: 80, allowedHosts: ['registry.example.com'] });
  await startNames(t, (name) => (name === 'registry.example.com' ? ['127.0.0.1'] : undefined));
  await putFiles(t, work);
  const insecure = { 'registry-mirrors': [hub.url], 'insecure-registries': ['registry.example.com'] };
  await writeFile(daemonJson, JSON.stringify(insecure));
  const surroundings = { cwd: work, env: { ...env, PATH: `${programs}:${env['PATH']}` } };

  let serving: Running | undefined;
  return async (command, output) => {
    const isServe = /^ocictl serve\b/.test(command);
    // The next server uses the same address.
    if (isServe && serving) await stop(serving);
    const running = start(t, 'bash', ['-c', `exec 2>&1\n${isServe ? 'exec ' : ''}${command}`], surroundings);
    if (isServe) {
      serving = running;
      assert.notEqual(output, '', `$ ${command}`);
      // It keeps running, so its lines are awaited one by one.
      for (const line of output.split('\n')) await running.waitFor(patternOf(line, 'm'));
      return;
    }
    const { stdout } = await running.result;
    assert.match(stdout.trimEnd(), patternOf(output), `$ ${command}\n${stdout}`);
  };
}

async function stop({ child, result }: Running): Promise<void> {
  child.kill('SIGTERM');
  await result;
}

/** Creates the files that the pages name. */
async function putFiles(t: Scope, work: string): Promise<void> {
  const { certificate, key } = await makeCertificates(t);
  for (const name of ['fullchain.pem', 'auth.pem', 'certificate.pem']) await copyFile(certificate, join(work, name));
  await copyFile(key, join(work, 'privkey.pem'));
  const rules = [{ users: ['ada'], repositories: ['**'], actions: ['pull', 'push'] }];
  await writeFile(join(work, 'access.yaml'), JSON.stringify({ users: { ada: await hash('secret', 4) }, rules }));
}

async function filledHub() {
  const registry = memoryRegistry();
  const alpine = await Promise.all(
    ['amd64', 'arm64'].map((architecture) =>
      buildImage({
        platform: { os: 'linux', architecture },
        layers: [{ files: { 'etc/alpine-release': '3.20.0\n', 'etc/arch': architecture } }],
      }),
    ),
  );
  const index = await buildIndex([...alpine, ...(await Promise.all(alpine.map(buildAttestation)))]);
  for (const tag of ['3.19', '3.20', 'latest']) {
    await pushImage(registry, parseRepositoryName('library/alpine'), parseTag(tag), index);
  }
  return registry;
}
