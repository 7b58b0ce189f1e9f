import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ProxySettings } from '../../config/docker/service-keys.ts';
import { parseCidr } from '../../config/documents/cidr.ts';
import { formatOrigin } from '../../config/origin.ts';
import { quote } from '../../model/quote.ts';
import { decideProxy } from '../../transport/proxy/proxy.ts';
import type { Check } from './check.ts';

/**
 * The proxy between this machine and an endpoint, and entries of NO_PROXY that do not have the effect they seem to have.
 */
export async function* checkProxy(url: URL, endpoint: string, settings: ProxySettings = {}): AsyncGenerator<Check> {
  const base = { topic: 'proxy', endpoint } as const;
  const decision = decideProxy(url, settings);
  if (decision.kind === 'direct') {
    const isSet = settings.http ?? settings.https ?? settings.all;
    if (isSet) yield { ...base, status: 'ok', text: `none: ${decision.because}` };
    return;
  }
  const { proxy } = decision;
  const detail = { proxy: proxy.url.href, origin: formatOrigin(proxy.origin) };
  yield { ...base, status: 'ok', text: `${proxy.url.host}, set by ${formatOrigin(proxy.origin)}`, detail };
  if (!settings.noProxy) return;
  const where = formatOrigin(settings.noProxy.origin);
  for (const { entry, why } of await mistakesIn(settings.noProxy.value, url)) {
    const text = `${where} has ${quote(entry)}, which does not cover ${url.host}: ${why}`;
    yield { ...base, status: 'warning', text, advice: `name ${url.hostname} in ${where} to go there directly` };
  }
}

/** Entries that look as if they were meant to cover the host, but do not. */
async function mistakesIn(
  noProxy: string,
  { hostname, port }: URL,
): Promise<readonly { readonly entry: string; readonly why: string }[]> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const entries = noProxy.split(/[\s,]+/).filter((entry) => entry !== '');
  const addresses = isIP(host) === 0 && entries.some((entry) => parseCidr(entry)) ? await resolve(host) : [];
  return entries.flatMap((entry) => {
    const network = parseCidr(entry);
    if (network) {
      const within = addresses.find((address) => network.contains(address));
      return within === undefined
        ? []
        : [{ entry, why: `networks are for hosts written as addresses (it is ${within})` }];
    }
    const name = entry
      .replace(/^\w+:\/\//, '')
      .replace(/[:/].*$/, '')
      .toLowerCase();
    if (name === '' || !(host === name || host.endsWith(`.${name.replace(/^\*?\./, '')}`))) return [];
    if (/^\w+:\/\//.test(entry)) return [{ entry, why: 'an entry has no scheme' }];
    if (entry.includes(':')) return [{ entry, why: `the port is ${port === '' ? 'the usual one' : port}` }];
    return [{ entry, why: 'it covers only the names below it' }];
  });
}

async function resolve(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}
