// Makes the single file that needs no Node: `npm run binary [-- --arch x64|arm64]`, for Linux. Written to .build/binary.
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { bundledPackages, common, directReads } from './build.mjs';
import { licenceTexts } from './licences.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The Node inside. Its builds need libstdc++ and libgcc_s besides libc; those of 26 also libatomic, which few systems have
 * installed. The npm packages carry Node's own builds.
 */
const nodeVersion = '24.22.3';
const keyring = '@napi-rs/keyring';
/** How Node finds what is put into it. @see https://nodejs.org/api/single-executable-applications.html */
const injected = { name: 'NODE_SEA_BLOB', fuse: 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2' };

/** @returns The path of the file. */
export async function makeBinary({ arch = process.arch, folder = join(root, '.build', 'binary') } = {}) {
  const node = await fetchNode(arch);
  // What is compiled or prepared has to be so by the very same Node, on the machine at hand.
  const worker = arch === process.arch ? node : await fetchNode(process.arch);
  const target = join(folder, `ocictl-linux-${arch}`);
  const work = join(folder, `work-${process.pid}`);
  await mkdir(work, { recursive: true });
  try {
    await bundle(work);
    const assets = { cli: join(work, 'cli.js'), 'ocictl:passwords': join(work, 'passwords.js') };
    // Code is compiled for one kind of processor and not for another.
    if (worker === node) {
      assets['cli.code'] = join(work, 'cli.code');
      run(worker.program, [join(root, 'scripts', 'compile-code.mjs'), assets.cli, assets['cli.code']], { cwd: work });
    }
    assets[keyring] = node.keyring;
    const config = join(work, 'sea.json');
    const blob = join(work, 'sea.blob');
    const main = join(work, 'single-file.js');
    const options = { disableExperimentalSEAWarning: true, useCodeCache: worker === node };
    await writeFile(config, JSON.stringify({ main, output: blob, assets, ...options }));
    run(worker.program, ['--experimental-sea-config', config]);

    const aside = join(work, 'ocictl');
    await copyFile(node.program, aside);
    await chmod(aside, 0o755);
    // A sixth of it is names for debuggers. Without the program that takes them out, or where it does not know the processor, they stay.
    spawnSync('strip', ['--strip-all', aside], { stdio: 'ignore' });
    run(process.execPath, [
      join(root, 'node_modules', 'postject', 'dist', 'cli.js'),
      ...[aside, injected.name, blob, '--sentinel-fuse', injected.fuse],
    ]);
    await rename(aside, target);
    const licences = [
      await licenceTexts(root, bundledPackages()),
      await readFile(node.licence, 'utf8'),
      await readFile(node.keyringLicence, 'utf8'),
    ];
    await writeFile(join(folder, 'THIRD-PARTY-LICENCES.txt'), licences.join('\n'));
    for (const name of ['LICENSE', 'completions', 'man']) {
      await cp(join(root, name), join(folder, name), { recursive: true });
    }
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The program, and what runs apart from it: see src/packaging/single-file-parts.ts. */
async function bundle(work) {
  const { splitting: _splitting, lineLimit: _lineLimit, banner: _banner, ...shared } = common;
  const options = {
    ...shared,
    format: 'cjs',
    outdir: work,
    minify: true,
    define: { 'import.meta.url': '""' },
    plugins: [partsOfSingleFile, directReads, ...common.plugins],
  };
  const passwords = join('src', 'server', 'auth', 'passwords.ts');
  await build({ ...options, entryPoints: { passwords } });
  await build({
    ...options,
    entryPoints: { cli: 'src/program/cli.ts' },
    banner: { js: '(function (require, module, exports) {' },
    footer: { js: '})' },
  });
  await build({ ...options, entryPoints: ['src/program/single-file.ts'] });
}

const partsOfSingleFile = {
  name: 'parts-of-single-file',
  setup(builder) {
    builder.onResolve({ filter: /\/package-parts\.ts$/ }, () => ({
      path: join(root, 'src', 'packaging', 'single-file-parts.ts'),
    }));
    // There is no script loader that prepares undici.
    builder.onLoad({ filter: /.*/, namespace: 'pool' }, () => ({
      contents: `
        import { undiciPreparation } from ${JSON.stringify(join(root, 'src', 'app', 'engine.ts'))};
        const { before, after } = undiciPreparation();
        before();
        const Pool = require('undici/lib/dispatcher/pool.js');
        after?.();
        export { Pool };`,
      resolveDir: root,
    }));
    // The command line is an asset there.
    builder.onResolve({ filter: /^\.\/cli\.ts$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** A build of Node and of the keychain's library for a processor, from npm. Kept from one run to the next. */
async function fetchNode(arch) {
  const prefix = join(root, '.build', 'nodes', `${nodeVersion}-${arch}`);
  const nodePackage = join(prefix, 'node_modules', `node-linux-${arch}`);
  const program = join(nodePackage, 'bin', 'node');
  const keyringPackage = join(prefix, 'node_modules', `${keyring}-linux-${arch}-gnu`);
  const { version } = JSON.parse(await readFile(join(root, 'node_modules', keyring, 'package.json'), 'utf8'));
  if (!(await stat(program).catch(() => undefined))) {
    await mkdir(prefix, { recursive: true });
    const wanted = [`node-linux-${arch}@${nodeVersion}`, `${keyring}-linux-${arch}-gnu@${version}`];
    // By force, since they say that they are for another machine.
    run('npm', ['install', '--silent', '--force', '--no-audit', '--no-fund', '--prefix', prefix, ...wanted]);
  }
  return {
    program,
    licence: join(nodePackage, 'LICENSE'),
    keyring: join(keyringPackage, `keyring.linux-${arch}-gnu.node`),
    keyringLicence: join(keyringPackage, 'LICENSE.third-party.md'),
  };
}

function run(program, words, options = {}) {
  const { status, error, stderr, stdout } = spawnSync(program, words, { cwd: root, encoding: 'utf8', ...options });
  if (status === 0) return;
  throw new Error(`${program} ${words.join(' ')} ${error?.message ?? `ended with ${status}`}\n${stdout}${stderr}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { arch: { type: 'string' }, out: { type: 'string' } } });
  process.stdout.write(`${await makeBinary({ arch: values.arch, folder: values.out })}\n`);
}
