// `npm run lint:package`: what publint and "are the types wrong" say of the package as it is published, packed.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePackage } from './pack.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const work = await mkdtemp(join(tmpdir(), 'ocictl-lint-'));
try {
  const folder = await makePackage(join(work, 'package'));
  const packed = run('npm', ['pack', '--silent', '--pack-destination', work], { cwd: folder, stdio: 'pipe' });
  const tarball = join(work, packed.stdout.toString().trim());
  run(program('publint'), ['run', tarball, '--strict']);
  // It makes no request: what it would look up is in the tarball.
  run(program('attw'), [tarball, '--profile', 'esm-only', '--no-definitely-typed']);
} finally {
  await rm(work, { recursive: true, force: true });
}

function program(name) {
  return join(root, 'node_modules', '.bin', name);
}

function run(command, words, options = {}) {
  const ran = spawnSync(command, words, { cwd: root, stdio: 'inherit', ...options });
  if (ran.status !== 0) throw new Error(`${command} ${words.join(' ')} ended with ${ran.status ?? ran.error?.message}`);
  return ran;
}
