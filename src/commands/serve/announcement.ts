/** The messages of `ocictl serve` at its start: where it listens, and commands that work on this machine and on others. */
import { networkInterfaces } from 'node:os';
import type { Served } from '../../app/context.ts';
import { OciError } from '../../model/errors.ts';
import { quote } from '../../model/quote.ts';
import { defaultDomain, familiarName } from '../../model/reference/reference.ts';

export const defaultAddress = '127.0.0.1:5000';

interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Whether `:5000` was written, which usually means every interface, but here only this machine. */
  readonly hostLeftOut: boolean;
}

/** @throws OciError USAGE */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) {
    throw new OciError('USAGE', `invalid address ${quote(text)}`, {
      hint: 'an address is host:port, as in 127.0.0.1:5000, 0.0.0.0:5000 or [::1]:0',
    });
  }
  const host = match[1] ?? match[2] ?? '';
  return { host: host || '127.0.0.1', port, hostLeftOut: host === '' };
}

const unitsMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @returns Milliseconds. @throws OciError USAGE */
export function parseTime(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const ms = Number(amount) * (unitsMs[unit] ?? 0);
  if (ms > 0) return ms;
  throw new OciError('USAGE', `invalid time ${quote(text)}`, {
    hint: 'a time is a number with s, m, h or d, as in 12h',
  });
}

/** @throws OciError USAGE */
export function parseRate(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new OciError('USAGE', `invalid rate ${quote(text)}`, {
    hint: 'a rate is a number of bytes per second, as in 256',
  });
}

/** Addresses as host:port: the one bound, and the one by which this machine reaches it. */
interface Place {
  readonly bound: string;
  readonly here: string;
  readonly loopback: boolean;
  readonly asked: ListenAddress;
}

/** The lines on stderr after the start. */
export function startLines(served: Served, { bound, here, loopback, asked }: Place): readonly string[] {
  const lines: string[] = [];
  if (asked.hostLeftOut) {
    lines.push(`${bound} is for this machine only; for other machines too: --addr 0.0.0.0:${asked.port}`);
  }
  const all = /^(?:0\.0\.0\.0|\[::\]):/.test(bound);
  const named = served.tls?.serverName;
  const outer = named === undefined ? outerAddress : (address: string) => `${named}:${portOf(address)}`;
  const elsewhere = all ? outer(bound) : loopback ? undefined : named === undefined ? here : outer(bound);
  if (loopback || all) lines.push(...toldFor(served, here, elsewhere === undefined ? '' : ' from here', false));
  if (elsewhere !== undefined) lines.push(...toldFor(served, elsewhere, all ? ' from elsewhere' : '', true));
  return lines;
}

/** A warning about a registry that other machines can reach. */
export function riskOf({ authorize, readOnly, tls }: Served): string | undefined {
  if (authorize && !tls) {
    return 'passwords cross the network in clear text: name a certificate with --tls-cert, or put a proxy with TLS in front';
  }
  return readOnly || authorize || tls?.needsClients
    ? undefined
    : 'everyone who can reach this address may push and delete; --read-only prevents that';
}

function toldFor(served: Served, host: string, from: string, insecure: boolean): string[] {
  const trust = insecure && !served.tls ? `--insecure-registry ${host} ` : '';
  const login = served.authorize ? [`log in to it${from} with: ocictl login ${trust}${host}`] : [];
  return [...login, ...usesOf(served, host, from, trust)];
}

function usesOf(served: Served, host: string, from: string, trust: string): string[] {
  const { example, mirrorOf } = served;
  if (example === undefined && !served.readOnly)
    return [`copy to it${from} with: ocictl copy ${trust}alpine ${host}/alpine`];
  const suffix = example === undefined || example.tag === 'latest' ? '' : `:${example.tag}`;
  if (example === undefined && !served.localStore) return ['it contains no image, and nobody can push one'];
  const pulled = mirrorOf === undefined || mirrorOf === defaultDomain ? 'alpine' : `${mirrorOf}/NAME`;
  const lines = example === undefined ? [`there is no image in it yet; ocictl pull ${pulled} puts one there`] : [];
  if (mirrorOf === defaultDomain) {
    const name = example ? familiarName({ domain: mirrorOf, path: example.repo }) : 'alpine';
    const mirror = `${served.tls ? 'https' : 'http'}://${host}`;
    return [
      ...lines,
      `pull from it${from} with: ocictl pull --registry-mirror ${mirror} ${name}${suffix}`,
      `docker asks it first${from} with: dockerd --registry-mirror ${mirror}`,
    ];
  }
  const name = example?.repo ?? (mirrorOf === undefined ? `${defaultDomain}/library/alpine` : 'NAME');
  return [...lines, `pull from it${from} with: ocictl pull ${trust}${host}/${name}${suffix}`];
}

// An address of this machine that others may reach, of the same family as the bound one.
function outerAddress(bound: string): string {
  const family = bound.startsWith('[') ? 'IPv6' : 'IPv4';
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .toSorted((a, b) => Number(b.family === family) - Number(a.family === family))[0];
  const host = outer === undefined ? 'HOST' : outer.family === 'IPv6' ? `[${outer.address}]` : outer.address;
  return `${host}:${portOf(bound)}`;
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(':') + 1);
}
