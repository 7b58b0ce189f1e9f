/** The certificate of `ocictl serve --tls-cert`. Part of the composition root, loaded by that command only. */
import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { readAuthorityFiles, readPair } from '../../certs/named-files.ts';
import type { Origin } from '../../config/origin.ts';
import { OciError } from '../../model/errors.ts';
import type { ServedTls } from '../../server/options.ts';

export interface TlsFlags {
  readonly tlsCert?: string | undefined;
  /** If absent, the key is in the same file. */
  readonly tlsKey?: string | undefined;
  readonly clientCa?: string | undefined;
}

export interface WatchedTls {
  readonly current: ServedTls;
  /** The first name of the certificate, which clients can use. */
  readonly serverName: string | undefined;
  /** Whether clients need a certificate. */
  readonly needsClients: boolean;
  /** Watches the files, and calls `onChange` with each change that can be used. @returns A function that ends the watch. */
  watch(onChange: (tls: ServedTls) => void): () => void;
}

/** The interval between checks. The main thread makes them itself, since each takes microseconds. */
const lookEveryMs = 5000;
/** How long a new certificate may wait for its key before an error is reported. */
const pairMs = 1000;

/**
 * Reads the certificate, its key and the authorities of clients.
 *
 * @param warn Called once for each change that cannot be used: the earlier files then stay in effect.
 * @throws OciError USAGE for flags that do not go together; CONFIG_INVALID for invalid files.
 */
export async function openTls(flags: TlsFlags, warn: (text: string) => void): Promise<WatchedTls | undefined> {
  const { tlsCert, tlsKey = tlsCert, clientCa } = flags;
  if (tlsCert === undefined || tlsKey === undefined) {
    const [flag] = [tlsKey !== undefined && '--tls-key', clientCa !== undefined && '--client-ca'].filter(Boolean);
    if (!flag) return undefined;
    throw new OciError('USAGE', `${flag} is of no use without a certificate`, {
      hint: 'name one with --tls-cert FILE',
    });
  }
  const files = [tlsCert, tlsKey, ...(clientCa === undefined ? [] : [clientCa])].map((file) => resolve(file));
  let version = versionOf(files);
  const current = await read(files);
  return {
    current,
    serverName: nameOf(current),
    needsClients: clientCa !== undefined,
    watch(onChange) {
      let refused = '';
      let told = '';
      let timer: NodeJS.Timeout;
      const look = async (): Promise<void> => {
        const found = versionOf(files);
        if (found === version || found === told) return;
        try {
          onChange(await read(files));
          version = found;
        } catch (error) {
          if (refused === found) {
            told = found;
            warn(`${error instanceof Error ? error.message : String(error)}; the earlier certificate stays in effect`);
          }
          refused = found;
        }
      };
      let ended = false;
      const lookAgain = (): void => {
        const waitMs = refused === '' || refused === told || refused === version ? lookEveryMs : pairMs;
        timer = setTimeout(() => void look().finally(() => ended || lookAgain()), waitMs).unref();
      };
      lookAgain();
      return () => {
        ended = true;
        clearTimeout(timer);
      };
    },
  };
}

async function read([cert = '', key = '', clientCa]: readonly string[]): Promise<ServedTls> {
  const flag = (name: string): Origin => ({ kind: 'flag', name });
  const origins = { cert: flag('--tls-cert'), key: flag(key === cert ? '--tls-cert' : '--tls-key') };
  const pair = await readPair({ cert, key }, origins);
  const authorities = clientCa === undefined ? undefined : await readAuthorityFiles([clientCa], flag('--client-ca'));
  return { ...pair, clientCa: authorities };
}

function versionOf(files: readonly string[]): string {
  return files
    .map((file) => {
      const found = statSync(file, { throwIfNoEntry: false });
      return found === undefined ? 'gone' : `${found.ino} ${found.size} ${found.mtimeMs}`;
    })
    .join(' ');
}

function nameOf({ cert }: ServedTls): string | undefined {
  const names = new X509Certificate(cert).subjectAltName?.match(/DNS:[^,*]+(?=,|$)/g) ?? [];
  return names.map((name) => name.slice('DNS:'.length)).find((name) => name !== 'localhost');
}
