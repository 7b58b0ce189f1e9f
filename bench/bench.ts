/**
 * Runs ocictl beside the peers on PATH, in turn, and prints medians and ratios.
 *
 * `npm run bench -- [--runs N] [--only pull|startup] [--node PATH]…`; needs docker-registry for `pull`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadSettings } from '../src/config/settings.ts';
import { parseReference } from '../src/model/reference.ts';
import { createRegistryService } from '../src/service/service.ts';
import { formatBytes, formatTable } from '../src/terminal/format.ts';
import { buildImage, pushImage } from '../test/support/images.ts';
import { randomLayer } from '../test/support/layer.ts';
import { measure, type Run, summarize } from './measure.ts';

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { runs: { type: 'string' }, only: { type: 'string' }, node: { type: 'string', multiple: true } },
});
const rounds = Number(values.runs ?? 7);
const nodes = values.node ?? [process.execPath];
const bin = join(process.cwd(), 'bin', 'ocictl.js');

/** A command in a race; the first of a race is what the others are compared with. */
interface Runner {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Wiped before each run. */
  readonly target?: string;
}

const work = await mkdtemp('/dev/shm/ocictl-bench-');
try {
  if (values.only !== 'startup') await benchPull();
  if (values.only !== 'pull') await benchStartup();
} finally {
  await rm(work, { recursive: true, force: true });
}

async function benchPull(): Promise<void> {
  const { host, stop } = await startRegistry();
  try {
    const shapes = [
      ['1 GB in 5 layers', 5, 200_000_000],
      ['1 GB in 1 layer', 1, 1_000_000_000],
      ['1 GB in 10 layers', 10, 100_000_000],
    ] as const;
    for (const [name, layers, bytes] of shapes) {
      const image = `${host}/bench/image${layers}:latest`;
      await pushRandom(image, layers, bytes);
      await race(`pull of ${name} from docker-registry, all on tmpfs`, pullers(image), true);
    }
  } finally {
    await stop();
  }
}

function pullers(image: string): Runner[] {
  const target = join(work, 'target');
  const ours = nodes.map((node) => ({
    name: `ocictl (${versionOf(node)})`,
    command: [node, bin, 'pull', '-q', image],
    env: { ...process.env, OCICTL_ROOT: target },
    target,
  }));
  const peers: Runner[] = [];
  if (installed('skopeo')) {
    const command = ['skopeo', 'copy', '-q', '--src-tls-verify=false', `docker://${image}`, `oci:${target}:latest`];
    peers.push({ name: 'skopeo', command, target });
  }
  if (installed('crane')) {
    const command = ['crane', 'pull', '--insecure', '--format=oci', image, target];
    peers.push({ name: 'crane', command, target });
  }
  return [...ours, ...peers];
}

async function benchStartup(): Promise<void> {
  const env = { ...process.env, OCICTL_ROOT: join(work, 'empty') };
  for (const node of nodes) {
    await race(`start-up on ${versionOf(node)}`, [
      { name: 'node -e 0', command: [node, '-e', '0'] },
      { name: 'ocictl --version', command: [node, bin, '--version'], env },
      { name: 'ocictl images', command: [node, bin, 'images'], env },
    ]);
  }
}

async function race(title: string, runners: readonly Runner[], memory = false): Promise<void> {
  const runs = new Map<string, Run[]>(runners.map(({ name }) => [name, []]));
  // A round that is not counted warms the page cache and the compile cache.
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, command, env, target } of runners) {
      if (target !== undefined) await rm(target, { recursive: true, force: true });
      const run = await measure(command, { env, memory });
      if (round >= 0) runs.get(name)?.push(run);
    }
  }
  const summaries = [...runs].map(([name, list]) => ({ name, ...summarize(list) }));
  const base = summaries[0]?.medianMs ?? 1;
  const rows = summaries.map(({ name, medianMs, minMs, maxMs, peakBytes }) => [
    name,
    `${medianMs.toFixed(0)} ms`,
    `${minMs.toFixed(0)}–${maxMs.toFixed(0)}`,
    (medianMs / base).toFixed(2),
    memory ? formatBytes(peakBytes) : '',
  ]);
  say(
    `\n${title} (${rounds} runs)\n${formatTable([['', 'median', 'spread', 'ratio', memory ? 'peak' : ''], ...rows])}`,
  );
}

async function pushRandom(image: string, layers: number, bytes: number): Promise<void> {
  const reference = parseReference(image);
  const settings = await loadSettings({ env: process.env });
  const service = createRegistryService({ settings, warn: say, userAgent: 'ocictl-bench' });
  try {
    const registry = await service.open(reference, 'push');
    const built = await Promise.all(Array.from({ length: layers }, (_, i) => randomLayer(bytes, `${layers}-${i}`)));
    await pushImage(registry, reference.path, reference.tag, await buildImage({ layers: built }));
  } finally {
    await service.close();
  }
}

async function startRegistry(): Promise<{ host: string; stop: () => Promise<void> }> {
  const host = `127.0.0.1:${await freePort()}`;
  const config = join(work, 'registry.yml');
  await writeFile(
    config,
    `version: 0.1\nlog: { level: error }\nstorage: { filesystem: { rootdirectory: ${work}/registry } }\nhttp: { addr: '${host}' }\n`,
  );
  const child: ChildProcess = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  for (let tries = 0; tries < 100; tries += 1) {
    const ready = await fetch(`http://${host}/v2/`).then(
      () => true,
      () => false,
    );
    if (ready) break;
    await sleep(100);
  }
  return {
    host,
    async stop() {
      child.kill('SIGKILL');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

function installed(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

function versionOf(node: string): string {
  return `node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
