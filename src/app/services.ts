/** The registry services of one run. Part of the composition root. */
import { cacheDirectory, runtimeDirectory } from '../config/paths.ts';
import type { Settings } from '../config/settings.ts';
import type { KeptHostFacts } from '../host-facts/host-facts.ts';
import type { forgetHost } from '../service/doctor/local.ts';
import type { RegistryService, RegistryServiceOptions } from '../service/service.ts';
import type { Shared } from '../service/shared-connections.ts';
import type { ServiceFlags } from './context.ts';
import { prepareForTraffic } from './engine.ts';

interface ServicesOptions {
  readonly settings: (flags: ServiceFlags) => Promise<Settings>;
  /** Reads standard input, for `--password-stdin`. */
  readonly readPassword: () => Promise<string>;
  readonly onWait: RegistryServiceOptions['onWait'];
  readonly service: Pick<RegistryServiceOptions, 'warn' | 'userAgent' | 'trace' | 'traceHeaders'>;
}

/** Services by the flags that select them, and a way to close what they opened. */
interface Services {
  settings(flags?: ServiceFlags): Promise<Settings>;
  service(flags?: ServiceFlags): Promise<RegistryService>;
  /** Forgets what was learned of a host. */
  forgetHost(server: string): ReturnType<typeof forgetHost>;
  close(): Promise<void>;
}

/**
 * Creates one service per set of flags. Services that differ only in credentials share connections and what is known
 * about hosts; tokens and credentials are never shared.
 */
export function createServices(options: ServicesOptions): Services {
  const settings = new Map<string, Promise<Settings>>();
  const shared = new Map<string, Promise<Shared>>();
  const services = new Map<string, Promise<RegistryService>>();
  let hostFacts: KeptHostFacts | undefined;
  const settingsFor = (flags: ServiceFlags): Promise<Settings> =>
    once(settings, hostFlags(flags), () => options.settings(flags));
  const open = async (flags: ServiceFlags): Promise<RegistryService> => {
    const { creds, username, passwordStdin, anonymous } = flags;
    const given = creds !== undefined || username !== undefined || passwordStdin || anonymous;
    const identity = given
      ? await (await import('./identity-flags.ts')).readIdentity(flags, options.readPassword)
      : undefined;
    prepareForTraffic();
    const { createHostFacts, createSharedService, createShared } = await import('../service/service.ts');
    const found = await settingsFor(flags);
    const cache = cacheDirectory(found.environment);
    hostFacts ??= createHostFacts({ directory: cache, note: options.service.trace });
    const facts = hostFacts;
    const common = await once(shared, hostFlags(flags), async () => createShared(facts));
    const tokenDirectory = found.tokenCache.value === 'on' ? runtimeDirectory(found.environment) : undefined;
    const { onWait, service } = options;
    const onFallback: RegistryServiceOptions['onFallback'] = ({ text }) => service.warn?.(text);
    const told = { ...service, onFallback, onWait };
    return createSharedService({ ...told, settings: found, identity, cacheDirectory: cache, tokenDirectory }, common);
  };
  const service = (flags: ServiceFlags = {}): Promise<RegistryService> =>
    once(services, hostFlags(flags) + identityFlags(flags), () => open(flags));
  return {
    settings: (flags = {}) => settingsFor(flags),
    service,
    async forgetHost(server) {
      const { forgetHost } = await import('../service/doctor/local.ts');
      const opened = await service({});
      const { hostFacts: facts } = await (shared.get(hostFlags({})) as Promise<Shared>);
      return forgetHost(server, { service: opened, settings: await settingsFor({}), facts });
    },
    async close() {
      if (shared.size === 0) return;
      const opened = await Promise.allSettled(shared.values());
      const { closeShared } = await import('../service/service.ts');
      await Promise.allSettled(opened.map((one) => one.status === 'fulfilled' && closeShared(one.value)));
    },
  };
}

function hostFlags({ registryMirrors, insecureRegistries, certsDir }: ServiceFlags): string {
  return JSON.stringify([registryMirrors, insecureRegistries, certsDir]);
}

function identityFlags({ creds, username, passwordStdin = false, anonymous = false }: ServiceFlags): string {
  return JSON.stringify([creds, username, passwordStdin, anonymous]);
}

function once<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const value = made.get(key) ?? make();
  made.set(key, value);
  return value;
}
