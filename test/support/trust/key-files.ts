import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Scope, sandbox } from '../sandbox.ts';

/** Writes a pair of keys under the names of `key generate`, without a password: to derive a key from one takes long. */
export async function writeKeys(t: Scope, prefix: string): Promise<void> {
  const { home } = await sandbox(t);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(join(home, `${prefix}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(join(home, `${prefix}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
}
