import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { start } from '../process.ts';
import { type Scope, temporaryDirectory } from '../sandbox.ts';

/** Starts podman as a daemon, with storage of its own. @returns `unix:///…`, for DOCKER_HOST. */
export async function startPodmanService(t: Scope, env: Readonly<Record<string, string>>): Promise<string> {
  const directory = await temporaryDirectory(t);
  const settings = join(directory, 'containers.conf');
  // Locks in shared memory would be shared with the machine's own podman.
  await writeFile(settings, '[engine]\nlock_type = "file"\n');
  await mkdir(join(directory, 'config/containers'), { recursive: true });
  await writeFile(join(directory, 'config/containers/policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
  const own = { '--root': 'root', '--runroot': 'run', '--tmpdir': 'tmp' };
  const words = Object.entries(own).flatMap(([flag, name]) => [flag, join(directory, name)]);
  const host = `unix://${join(directory, 'podman.sock')}`;
  const drivers = ['--storage-driver', 'vfs', '--events-backend', 'file', '--cgroup-manager', 'cgroupfs'];
  const serving = ['--log-level', 'info', 'system', 'service', '--time', '0', host];
  const running = start(t, 'podman', [...words, ...drivers, ...serving], {
    env: { ...env, CONTAINERS_CONF: settings, XDG_CONFIG_HOME: join(directory, 'config') },
  });
  await running.waitFor(/API service listening on/);
  return host;
}
