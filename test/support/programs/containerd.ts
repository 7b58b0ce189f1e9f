import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { start } from '../process.ts';
import { atEnd, type Scope, sandbox, temporaryDirectory } from '../sandbox.ts';

/** Starts containerd with all its data in a temporary directory. Needs root. @returns Its address, for `ctr --address`. */
export async function startContainerd(t: Scope): Promise<string> {
  const directory = await temporaryDirectory(t);
  const { env } = await sandbox(t);
  const address = join(directory, 'containerd.sock');
  const config = [
    'version = 2',
    `root = "${join(directory, 'root')}"`,
    `state = "${join(directory, 'state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]',
    '[grpc]',
    `address = "${address}"`,
    '[ttrpc]',
    `address = "${address}.ttrpc"`,
  ];
  await writeFile(join(directory, 'config.toml'), `${config.join('\n')}\n`);
  const running = start(t, 'containerd', ['--config', join(directory, 'config.toml')], { env });
  atEnd(t, async () => {
    if (running.child.exitCode !== null) return;
    const gone = once(running.child, 'close');
    running.child.kill('SIGTERM');
    await gone;
  });
  await running.waitFor(/containerd successfully booted/);
  return address;
}
