// Runs the tests: `node scripts/test.mjs [interop|large|soak] [--filter text]…`. Any text of several may match. Without a tier: all that need Node alone.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { groupTests } from './test-groups.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const build = join(root, '.build');
const separateTiers = ['interop', 'large', 'soak'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { filter: { type: 'string', multiple: true, default: [] }, 'no-build': { type: 'boolean', default: false } },
});
const [tier = 'default'] = positionals;
if (!['default', ...separateTiers].includes(tier) || positionals.length > 1) {
  fail(`usage: node scripts/test.mjs [${separateTiers.join('|')}] [--filter text]… [--no-build]`, 2);
}

if (!values['no-build']) {
  run([join(root, 'scripts', 'build.mjs')]);
  run([join(root, 'scripts', 'compile.mjs')]);
}

const files = testFiles();
if (files.length === 0) fail('no test file matches', 2);

// As anybody would run them: a process for each command and each file, on the system's directory.
const exact = process.env.OCICTL_TEST_PROCESSES === '1';
const inMemory = tier === 'default' && !exact ? memoryDirectory() : undefined;
const scratch = mkdtempSync(join(inMemory ?? tmpdir(), 'ocictl-tests-'));
// Some tests work as another user.
chmodSync(scratch, 0o711);
const skipped = join(scratch, 'skipped');
// Directories and globs mean different things to Node 20 and 22: every file is named.
const { status, signal } = spawnSync(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${tier === 'large' ? 1 : availableParallelism() + 2}`,
    // Of one process, so that one that hangs fails instead of everything behind it waiting.
    `--test-timeout=${tier === 'soak' ? 10_800_000 : 1_200_000}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${new URL('skipped.mjs', import.meta.url)}`,
    `--test-reporter-destination=${skipped}`,
    ...(tier === 'default' && !exact ? groupTests(files, root, join(build, 'groups')) : files),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(inMemory !== undefined && { TMPDIR: scratch }),
      // The default tier runs most commands inside the process of the test (test/support/inside.ts).
      ...(tier !== 'default' && { OCICTL_TEST_PROCESSES: '1' }),
    },
  },
);
const reasons = readFileSync(skipped, 'utf8').trim();
rmSync(scratch, { recursive: true, force: true });
if (signal) fail(`the test runner was ended by ${signal}`, 1);
if (status !== 0) process.exit(status ?? 1);
if (reasons !== '' && process.env.OCICTL_TEST_REQUIRE_PROGRAMS === '1') {
  fail(`these tests were skipped, where nothing may be:\n${reasons}`, 1);
}

/** The compiled test files of the tier, by full path. */
function testFiles() {
  const tests = join(build, 'test');
  return (
    readdirSync(tests, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.test.js'))
      // What was compiled from a test that is gone by now.
      .filter((name) => existsSync(join(root, 'test', name.replace(/\.js$/, '.ts'))))
      .filter((name) => {
        const folder = name.split(sep, 1)[0] ?? '';
        return tier === 'default' ? !separateTiers.includes(folder) : folder === tier;
      })
      .filter((name) => values.filter.length === 0 || values.filter.some((text) => name.includes(text)))
      .sort()
      .map((name) => relative(root, join(tests, name)))
  );
}

/**
 * Where the tests' directories cost no disk: a quarter of the time would go into waiting for it. Undefined where TMPDIR says
 * another place, where little memory is free, or where it may hold no programs.
 */
function memoryDirectory() {
  const directory = '/dev/shm';
  if (process.platform !== 'linux' || process.env.TMPDIR || !existsSync(directory)) return undefined;
  const { bavail, bsize } = statfsSync(directory);
  const mount = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .findLast((line) => line.split(' ')[1] === directory);
  return bavail * bsize >= 2 ** 31 && mount !== undefined && !mount.includes('noexec') ? directory : undefined;
}

function run(words) {
  const result = spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) fail(`${relative(root, words[0])} failed`, result.status ?? 1);
}

function fail(message, status) {
  process.stderr.write(`${message}\n`);
  process.exit(status);
}
