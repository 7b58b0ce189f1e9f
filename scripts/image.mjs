// Makes the container image of ocictl with ocictl itself, without Docker: `npm run image -- [--tag REF] [--base REF] [--arch x64,arm64]`.
// The base has the C library, libstdc++ and the CA certificates that the single file needs. The digest is printed.
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeBinary } from './binary.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const platforms = { x64: 'linux/amd64', arm64: 'linux/arm64' };
/** Glibc, libstdc++, CA certificates, and no shell. */
const defaultBase = 'gcr.io/distroless/cc-debian12';
/** That of `nonroot` in many bases: no name is needed for it. */
const user = '65532:65532';
const home = '/home/ocictl';

/**
 * @param files Single files that are made already, by processor; others are made.
 * @returns The digest of the index.
 */
export async function makeImage({ tag, base = defaultBase, archs = Object.keys(platforms), files = {} }) {
  const work = join(root, '.build', `image-${process.pid}`);
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const place = (name) => `oci:${join(work, 'layout')}:${name}`;
  try {
    for (const arch of archs) {
      const file = files[arch] ?? (await madeBefore(arch)) ?? (await makeBinary({ arch }));
      const staged = await stage(join(work, arch), file);
      const [from, program, own, done] = ['base', 'program', 'home', 'done'].map((step) => place(`${step}-${arch}`));
      // The image alone, so that it can be put into an index of its own.
      ocictl('copy', '-q', '--platform', platforms[arch], base, from);
      ocictl('append', '-q', from, '-f', staged.program, '-t', program);
      ocictl('append', '-q', program, '-f', staged.home, '--owner', user, '-t', own);
      ocictl('mutate', '-q', own, '-t', done, ...(await settings()));
    }
    const images = archs.map((arch) => place(`done-${arch}`));
    return ocictl('index', 'create', '-q', ...images, '-t', tag).trim();
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function settings() {
  const { version, description, license, homepage } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const labels = {
    'org.opencontainers.image.title': 'ocictl',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.licenses': license,
    'org.opencontainers.image.url': homepage,
  };
  const told = Object.entries(labels).filter(([, text]) => text !== undefined);
  return [
    ...['--entrypoint', '["/usr/local/bin/ocictl"]', '--cmd', '["--help"]', '--user', user, '--workdir', home],
    ...['--env', `HOME=${home}`, '--created', 'now'],
    ...told.flatMap(([name, text]) => ['--label', `${name}=${text}`]),
  ];
}

/** Directories whose content becomes layers. */
async function stage(directory, file) {
  const [program, own] = [join(directory, 'program'), join(directory, 'home')];
  const target = join(program, 'usr', 'local', 'bin', 'ocictl');
  await mkdir(join(target, '..'), { recursive: true });
  await mkdir(join(own, home), { recursive: true });
  await copyFile(file, target);
  for (const path of ['usr', 'usr/local', 'usr/local/bin', 'usr/local/bin/ocictl'].map((name) => join(program, name))) {
    await chmod(path, 0o755);
  }
  await chmod(join(own, 'home'), 0o755);
  await chmod(join(own, home), 0o755);
  return { program, home: own };
}

async function madeBefore(arch) {
  const file = join(root, '.build', 'binary', `ocictl-linux-${arch}`);
  return (await stat(file).catch(() => undefined)) ? file : undefined;
}

function ocictl(...words) {
  // Without a time of its own, the image would be another one each time.
  const env = { SOURCE_DATE_EPOCH: '0', ...process.env };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin', 'ocictl.js'), ...words], {
    encoding: 'utf8',
    env,
  });
  if (status !== 0) throw new Error(`ocictl ${words.join(' ')}: ${stderr}`);
  return stdout;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      tag: { type: 'string', default: `oci-archive:${join(root, '.build', 'ocictl-image.tar')}` },
      base: { type: 'string' },
      arch: { type: 'string', default: Object.keys(platforms).join(',') },
    },
  });
  process.stdout.write(`${await makeImage({ ...values, archs: values.arch.split(',') })}\n`);
}
