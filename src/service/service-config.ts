import { indexName } from '../config/docker/index-name.ts';
import { type HostRule, parseHostRules } from '../config/host-rules.ts';
import type { Sourced } from '../config/origin.ts';
import { readMirrors, type Settings } from '../config/settings.ts';
import { loopbackRules } from '../endpoints/host-match.ts';

/** Configuration that can be replaced while a service runs. An absent option becomes empty, as in Docker. */
export interface ServiceOptions {
  /** Mirrors of Docker Hub, as URLs. */
  readonly mirrors?: readonly string[] | undefined;
  /** Hosts, `host:port` and networks. */
  readonly insecureRegistries?: readonly string[] | undefined;
  /** Hosts, `host:port` and networks. */
  readonly allowNondistributableArtifacts?: readonly string[] | undefined;
}

/** A registry as configured. */
export interface IndexInfo {
  /** `docker.io` or `host[:port]`. */
  readonly name: string;
  /** Addresses that end in a slash: Docker Hub's own mirrors, and those of rules. */
  readonly mirrors: readonly string[];
  /** Whether it needs a valid certificate and is never used in plain http. */
  readonly secure: boolean;
  /** Whether it is Docker Hub. */
  readonly official: boolean;
}

/** The configuration in effect, in the form of Docker's API. */
export interface ServiceConfig {
  /** Mirrors of Docker Hub; their addresses end in a slash. */
  readonly mirrors: readonly string[];
  /** Networks whose hosts are insecure: `10.0.0.0/8`. */
  readonly insecureRegistryCIDRs: readonly string[];
  /** Docker Hub, and the registries that are configured as insecure. */
  readonly indexConfigs: Readonly<Record<string, IndexInfo>>;
  /** Networks to whose hosts such layers may be pushed. */
  readonly allowNondistributableArtifactsCIDRs: readonly string[];
  /** Hosts to which such layers may be pushed. */
  readonly allowNondistributableArtifactsHostnames: readonly string[];
}

/** The part of the settings that {@link ServiceOptions} replaces. */
type ReplaceableSettings = Pick<Settings, 'registryMirrors' | 'insecureRegistries' | 'allowNondistributableArtifacts'>;

/**
 * Checks options and converts them to settings.
 *
 * @throws OciError CONFIG_INVALID naming the option.
 */
export function readServiceOptions(options: ServiceOptions, warn: (text: string) => void): ReplaceableSettings {
  const sourced = (name: keyof ServiceOptions): readonly Sourced<string>[] =>
    (options[name] ?? []).map((value) => ({ value, origin: { kind: 'option', name } }));
  const rules = (name: keyof ServiceOptions, setting: string) => parseHostRules(sourced(name), setting, warn);
  return {
    registryMirrors: readMirrors(sourced('mirrors')),
    insecureRegistries: rules('insecureRegistries', 'insecure-registries'),
    allowNondistributableArtifacts: rules('allowNondistributableArtifacts', 'allow-nondistributable-artifacts'),
  };
}

export function describeConfig(settings: ReplaceableSettings): ServiceConfig {
  const mirrors = settings.registryMirrors.map(({ value }) => value);
  const insecure = [...settings.insecureRegistries, ...loopbackRules];
  const named = hosts(insecure).map((name) => [name, { name, mirrors: [], secure: false, official: false }] as const);
  const official = { name: indexName, mirrors, secure: true, official: true };
  return {
    mirrors,
    insecureRegistryCIDRs: networks(insecure),
    indexConfigs: Object.fromEntries([...named, [indexName, official]]),
    allowNondistributableArtifactsCIDRs: networks(settings.allowNondistributableArtifacts),
    allowNondistributableArtifactsHostnames: hosts(settings.allowNondistributableArtifacts),
  };
}

function hosts(rules: readonly HostRule[]): readonly string[] {
  return rules.flatMap((rule) => (rule.kind === 'host' ? [rule.key] : []));
}

function networks(rules: readonly HostRule[]): readonly string[] {
  return rules.flatMap((rule) => (rule.kind === 'network' ? [rule.network.text] : []));
}
