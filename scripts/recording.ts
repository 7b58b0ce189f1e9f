/** Films a pull from a slow registry on a terminal of tmux, and writes docs/pull.svg. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseRepositoryName, parseTag } from '../src/model/reference/reference.ts';
import { startFaultProxy } from '../test/support/fault-proxy.ts';
import { buildImage, pushImage } from '../test/support/images.ts';
import { startServe } from '../test/support/registries.ts';
import { sandbox } from '../test/support/sandbox.ts';
import { type Frame, terminalSvg } from './terminal-svg.ts';

const exec = promisify(execFile);
const screen = { columns: 92, rows: 14 };
const frameMs = 120;
const bytesPerSecond = 5_000_000;
const layerBytes = [3_400_000, 14_800_000, 7_100_000, 260_000, 900];

const ends: (() => unknown)[] = [];
const scope = { after: (end: () => unknown) => void ends.push(end) };
try {
  await film();
} finally {
  for (const end of ends.reverse()) await end();
}

async function film(): Promise<void> {
  const { home, env, daemonJson } = await sandbox(scope);
  const registry = await startServe(scope);
  const layers = layerBytes.map((bytes, i) => ({
    files: { [`data-${i}`]: noise(bytes, i) },
    compression: 'none' as const,
  }));
  await pushImage(
    registry.registry,
    parseRepositoryName('library/postgres'),
    parseTag('latest'),
    await buildImage({ layers }),
  );
  const slow = await startFaultProxy(scope, registry.url);
  slow.fail({ path: /\/blobs\//, bytesPerSecond });
  await writeFile(daemonJson, JSON.stringify({ 'registry-mirrors': [slow.url] }));

  const programs = join(home, 'bin');
  await mkdir(programs);
  const program = join(programs, 'ocictl');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${join(process.cwd(), 'bin', 'ocictl.js')}' "$@"\n`);
  await chmod(program, 0o755);
  const { NO_COLOR: _none, ...coloured } = env;
  const terminal = await openTerminal({
    ...coloured,
    PATH: `${programs}:${env['PATH']}`,
    PS1: '$ ',
    TERM: 'xterm-256color',
  });
  const frames: Frame[] = [];
  const look = async (): Promise<string> => {
    const shown = await terminal.screen();
    if (shown !== frames.at(-1)?.screen) frames.push({ screen: shown, atMs: performance.now() });
    await new Promise((resolve) => setTimeout(resolve, frameMs));
    return shown;
  };
  await terminal.ready();
  for (const line of ['ocictl pull postgres', 'ocictl images']) {
    for (const letter of line) {
      await terminal.type(letter);
      await look();
    }
    await terminal.enter();
    // Until the prompt is there again, alone in the last line.
    do await look();
    while (!/\n\$ ?$/.test((await terminal.plain()).trimEnd()));
    await look();
  }
  await writeFile(join('docs', 'pull.svg'), terminalSvg(frames, screen, 'ocictl pull postgres, then ocictl images'));
  process.stdout.write(`wrote docs/pull.svg: ${frames.length} screens\n`);
}

async function openTerminal(env: Readonly<Record<string, string>>) {
  const socket = `ocictl-recording-${process.pid}`;
  const tmux = async (...words: string[]) => (await exec('tmux', ['-L', socket, ...words], { env })).stdout;
  const size = ['-x', String(screen.columns), '-y', String(screen.rows)];
  await tmux('-f', '/dev/null', 'new-session', '-d', ...size, 'bash --norc --noprofile');
  ends.push(() => tmux('kill-server').catch(() => ''));
  const capture = (...words: string[]) => tmux('capture-pane', '-p', ...words);
  return {
    screen: () => capture('-e'),
    plain: () => capture(),
    type: (text: string) => tmux('send-keys', '-l', text),
    enter: () => tmux('send-keys', 'Enter'),
    async ready() {
      // A shell of root takes no prompt from its environment.
      await tmux('send-keys', "PS1='$ '; clear", 'Enter');
      for (let tries = 0; !(await capture()).startsWith('$'); tries += 1) {
        if (tries === 100) throw new Error(`no prompt: ${await capture()}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
}

// Bytes that do not compress.
function noise(bytes: number, seed: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}
