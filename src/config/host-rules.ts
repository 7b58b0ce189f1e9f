/** Entries of `insecure-registries`, `allow-nondistributable-artifacts` and `allow-private`: hosts and networks. */
import { isIPv6 } from 'node:net';
import { OciError } from '../model/errors.ts';
import { quote, visible } from '../model/quote.ts';
import { validateIndexName } from './docker/index-name.ts';
import { type Cidr, canonicalIPv6, parseCidr } from './documents/cidr.ts';
import { formatOrigin, type Origin, type Sourced } from './origin.ts';

export type HostRule =
  /** `key` covers exactly this `host[:port]`, as written in a reference. */
  | { readonly kind: 'host'; readonly key: string; readonly origin: Origin }
  /** Every host whose addresses are in the network. */
  | { readonly kind: 'network'; readonly network: Cidr; readonly origin: Origin };

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const hostPort = new RegExp(`^(?:${label}(?:\\.${label})*|\\[([0-9a-fA-F:]+)\\])(?::(\\d+))?$`);

/**
 * Parses an entry: a network in CIDR notation, or `host[:port]`. `http://` and `https://` are removed with a warning.
 *
 * @throws OciError CONFIG_INVALID naming the entry and where it was set.
 */
function parseHostRule(entry: Sourced<string>, setting: string, warn: (text: string) => void): HostRule {
  const { origin } = entry;
  const where = formatOrigin(origin);
  // The host may be preceded by a user and password.
  const shown = entry.value.replace(/^.*@/s, '…@');
  const refuse = (reason: string): never => {
    throw new OciError('CONFIG_INVALID', `${where}: invalid ${setting} entry ${quote(shown)}: ${reason}`, {
      hint: `an entry is host, host:port or a network such as 10.0.0.0/8`,
    });
  };
  let text = entry.value;
  const [scheme] = /^https?:\/\//i.exec(text) ?? [];
  if (scheme !== undefined) {
    warn(`${where}: ${setting} entry ${visible(shown)} should not contain '${scheme}'; it was read without`);
    text = text.slice(scheme.length);
  } else if (text.includes('://')) return refuse("it should not contain '://'");
  if (text === '') return refuse('it is empty');
  try {
    text = validateIndexName(text);
  } catch {
    return refuse('a registry name cannot begin or end with a hyphen');
  }
  const network = parseCidr(text);
  if (network !== undefined) return { kind: 'network', network, origin };
  if (isIPv6(text) && !text.includes('%')) return { kind: 'host', key: `[${canonicalIPv6(text)}]`, origin };
  const match = hostPort.exec(text);
  if (!match || (match[1] !== undefined && !isIPv6(match[1]))) return refuse('it is neither a host nor a network');
  if (Number(match[2] ?? 0) > 65_535) return refuse(`${match[2]} is not a port`);
  return { kind: 'host', key: text, origin };
}

/** An entry in canonical form. */
export function hostRuleText(rule: HostRule): string {
  return rule.kind === 'host' ? rule.key : rule.network.text;
}

/** All entries, in order, without duplicates. */
export function parseHostRules(
  entries: readonly Sourced<string>[],
  setting: string,
  warn: (text: string) => void,
): readonly HostRule[] {
  const rules = new Map<string, HostRule>();
  for (const entry of entries) {
    const rule = parseHostRule(entry, setting, warn);
    const name = hostRuleText(rule);
    if (!rules.has(name)) rules.set(name, rule);
  }
  return [...rules.values()];
}
