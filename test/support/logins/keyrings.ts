/** A real Secret Service: gnome-keyring on a D-Bus that only the test uses. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Running, start } from '../process.ts';
import { needs } from '../programs.ts';
import { projectRoot } from '../project.ts';
import { type Scope, sandbox } from '../sandbox.ts';

const timeoutMs = 600_000;
const keyrings = new WeakMap<object, Running>();

/** Whether a test can use a keychain. @returns False after `t.skip`. */
export function needsKeychain(t: Pick<TestContext, 'skip'>): boolean {
  if (!needs(t, 'dbus-daemon', 'dbus-send', 'gnome-keyring-daemon')) return false;
  try {
    createRequire(import.meta.url)('keytar');
    return true;
  } catch {
    const reason = 'needs keytar, which could not be installed here';
    if (process.env['OCICTL_TEST_REQUIRE_PROGRAMS'] === '1') throw new Error(reason);
    t.skip(reason);
    return false;
  }
}

/**
 * Starts a session with an unlocked keyring in the sandbox of the test; it ends with the test.
 *
 * @param options.service Whether the session has a keyring at all.
 * @returns The environment for programs that use it; our helper is on its PATH.
 */
export async function startKeyring(
  t: Scope,
  { service = true }: { readonly service?: boolean } = {},
): Promise<Readonly<Record<string, string>>> {
  const { home, env } = await sandbox(t);
  // With the machine's own configuration, the bus would start that machine's keyring, with a prompt that nobody answers.
  const config = join(home, 'session.conf');
  await writeFile(
    config,
    `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=${join(home, 'bus')}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>`,
  );
  const bus = start(t, 'dbus-daemon', ['--config-file', config, '--nofork', '--print-address'], { env, timeoutMs });
  const [address = ''] = await bus.waitFor(/unix:\S+/);
  const session = { DBUS_SESSION_BUS_ADDRESS: address };
  let keyring: Running | undefined;
  if (service) {
    const words = ['--foreground', '--unlock', '--components=secrets'];
    const options = { env: { ...env, ...session }, input: 'password', timeoutMs };
    keyring = start(t, 'gnome-keyring-daemon', words, options);
    await waitForName(t, 'org.freedesktop.secrets', { ...env, ...session });
  }
  const bin = join(home, 'helper-bin');
  await mkdir(bin, { recursive: true });
  const program = join(projectRoot, 'bin', 'docker-credential-ocictl.js');
  const file = join(bin, 'docker-credential-ocictl');
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });
  const found = { ...session, PATH: `${bin}:${env['PATH']}` };
  if (keyring) keyrings.set(found, keyring);
  return found;
}

/** Starts the keyring again, as after a login without its password: nobody is there to unlock it. */
export async function lockKeyring(t: Scope, session: Readonly<Record<string, string>>): Promise<void> {
  const { env } = await sandbox(t);
  const running = keyrings.get(session);
  running?.child.kill('SIGTERM');
  await running?.result;
  const options = { env: { ...env, ...session }, timeoutMs };
  start(t, 'gnome-keyring-daemon', ['--foreground', '--components=secrets'], options);
  await waitForName(t, 'org.freedesktop.secrets', { ...env, ...session });
}

async function waitForName(t: Scope, name: string, env: Readonly<Record<string, string>>): Promise<void> {
  const words = ['--session', '--print-reply', '--dest=org.freedesktop.DBus', '/', 'org.freedesktop.DBus.NameHasOwner'];
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const { stdout } = await start(t, 'dbus-send', [...words, `string:${name}`], { env }).result;
    if (/boolean true/.test(stdout)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody owns ${name}`);
}
