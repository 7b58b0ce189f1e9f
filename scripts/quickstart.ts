/** The main job on the embedded registry: serve, fill it, pull through it as Docker Hub's mirror, list. Leaves nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadSettings } from '../src/config/settings.ts';
import { parseReference } from '../src/model/reference/reference.ts';
import { createRegistryService } from '../src/service/create-service.ts';
import { type Built, buildAttestation, buildImage, buildIndex, pushImage } from '../test/support/images.ts';

const bin = join(process.cwd(), 'bin', 'ocictl.js');
const home = await mkdtemp(join(tmpdir(), 'ocictl-quickstart-'));
// A home of its own: neither the user's configuration nor the user's store takes part.
const env = { ...process.env, HOME: home, OCICTL_ROOT: join(home, 'store'), DOCKER_CONFIG: join(home, 'docker') };
let registry: ChildProcess | undefined;

try {
  say('Starting the embedded registry:');
  const url = await startRegistry();
  const { host } = new URL(url);
  say('\nFilling it with an image for two platforms, built on the spot.');
  await fill(host);
  say('\nPulling it, with the registry standing in for Docker Hub:');
  await run('pull', '--registry-mirror', url, 'alpine');
  say('\nPulling it again finds it complete:');
  await run('pull', '--registry-mirror', url, 'alpine');
  say('\nWhat the store holds:');
  await run('images', '--digests');
  say('\nThat worked. Next: node bin/ocictl.js --help, or npm test. Nothing of this run was left behind.');
} finally {
  if (registry) {
    registry.kill('SIGTERM');
    if (registry.exitCode === null) await once(registry, 'exit');
  }
  await rm(home, { recursive: true, force: true });
}

async function startRegistry(): Promise<string> {
  const words = ['serve', '--memory', '--addr', '127.0.0.1:0'];
  say(`$ ocictl ${words.join(' ')}`);
  const child = spawn(process.execPath, [bin, ...words], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  registry = child;
  for await (const line of createInterface({ input: child.stdout })) {
    say(line);
    const url = / on (http:\S+)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the registry did not start');
}

async function fill(host: string): Promise<void> {
  const settings = await loadSettings({ env });
  const service = createRegistryService({ settings, warn: say, userAgent: 'ocictl-quickstart' });
  try {
    const reference = parseReference(`${host}/library/alpine:latest`);
    const target = await service.open(reference, 'push');
    await pushImage(target, reference.path, reference.tag, await buildAlpine());
  } finally {
    await service.close();
  }
}

/** Three layers for each of two platforms, and what BuildKit says about how they were built. */
async function buildAlpine(): Promise<Built> {
  const images = await Promise.all(
    ['amd64', 'arm64'].map((architecture) =>
      buildImage({
        platform: { os: 'linux', architecture },
        layers: [
          {
            files: {
              'etc/os-release': 'NAME="Quickstart Linux"\nID=quickstart\n',
              'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
            },
          },
          { files: { 'bin/hello': { content: `#!/bin/sh\necho hello from ${architecture}\n`, mode: 0o755 } } },
          { files: { [`usr/share/data-${architecture}.bin`]: noise(512 * 1024, architecture.length) } },
        ],
        run: { Cmd: ['/bin/hello'] },
      }),
    ),
  );
  const attestations = await Promise.all(images.map(buildAttestation));
  return buildIndex([...images, ...attestations]);
}

// Bytes that do not compress, so that the layer has a size worth a progress bar.
function noise(bytes: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

async function run(...words: string[]): Promise<void> {
  say(`$ ocictl ${words.join(' ')}`);
  const child = spawn(process.execPath, [bin, ...words], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const [status] = (await once(child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`ocictl ${words[0]} ended with status ${status}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
