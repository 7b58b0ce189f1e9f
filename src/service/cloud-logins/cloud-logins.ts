/** Short-lived logins for the registries of clouds, made for the identity that this machine has there. */
import type { AuthProvider } from '../../auth/auth-provider.ts';
import type { Credential } from '../../credentials/credential.ts';
import type { GetOptions } from '../../credentials/store.ts';
import { isOciError } from '../../model/errors.ts';
import { visible } from '../../model/quote.ts';
import { hasOptionalPackage, loadOptionalPackage } from '../../packaging/package-parts.ts';
import type { Transport } from '../../transport/transport.ts';
import { type CloudRegistry, cloudRegistry, clouds } from './hosts.ts';
import type { CloudContext, CloudLogin } from './login.ts';

interface CloudLoginsOptions {
  /** Variables, in which an identity may be. */
  readonly env: NodeJS.ProcessEnv;
  /** A connection to a host of a cloud. */
  readonly connect: (base: URL) => Transport;
  /** Called once for each cloud whose login cannot be made. */
  readonly warn: (text: string) => void;
}

/** A machine outside of a cloud may wait for its metadata service in vain. */
const timeoutMs = 15_000;
/** A login that ends within this time is made anew. */
const marginMs = 60_000;

/** The package that a cloud's login needs, if the name is that of a cloud's registry and the package is not installed. */
export function missingCloudPackage(name: string): string | undefined {
  const found = cloudRegistry(name);
  const needed = found && clouds[found.cloud].package;
  return needed === undefined || hasOptionalPackage(needed) ? undefined : needed;
}

/**
 * Makes a login the first time that a registry asks for one, and keeps it in memory until it ends. What could not be made is not
 * tried again: it takes long where there is no identity, and many images are public.
 */
export class CloudLogins implements AuthProvider {
  readonly #options: CloudLoginsOptions;
  /** By host; undefined: it could not be made. */
  readonly #logins = new Map<string, Promise<CloudLogin | undefined>>();
  readonly #warned = new Set<string>();

  constructor(options: CloudLoginsOptions) {
    this.#options = options;
  }

  async get(name: string, { fresh = false, verified = true }: GetOptions = {}): Promise<Credential | undefined> {
    const registry = verified ? cloudRegistry(name) : undefined;
    if (!registry || !this.#hasIdentity(registry)) return undefined;
    const [host = ''] = name.split('/', 1);
    const known = this.#logins.get(host);
    const login = await known;
    const isOver = login !== undefined && login.expiresAtMs - marginMs <= Date.now();
    if (known && !fresh && !isOver) return login?.credential;
    // Another request may have begun to make one meanwhile.
    if (this.#logins.get(host) === known) this.#logins.set(host, this.#make(registry));
    return (await this.#logins.get(host))?.credential;
  }

  #hasIdentity({ cloud }: CloudRegistry): boolean {
    const { env } = this.#options;
    if (cloud === 'amazon' && env['AWS_ACCESS_KEY_ID'] && env['AWS_SECRET_ACCESS_KEY']) return true;
    return hasOptionalPackage(clouds[cloud].package);
  }

  async #make(registry: CloudRegistry): Promise<CloudLogin | undefined> {
    const { env, connect, warn } = this.#options;
    const { cloud } = registry;
    const opened: Transport[] = [];
    const signal = AbortSignal.timeout(timeoutMs);
    const context: CloudContext = {
      env,
      load: loadOptionalPackage,
      signal,
      connect(base: URL): Transport {
        const transport = connect(base);
        opened.push(transport);
        return transport;
      },
    };
    try {
      return await Promise.race([this.#login(registry, context), rejected(signal)]);
    } catch (error) {
      if (!this.#warned.has(cloud)) warn(`no login was made for ${clouds[cloud].title}: ${reasonOf(error)}`);
      this.#warned.add(cloud);
      return undefined;
    } finally {
      for (const transport of opened) await transport.close();
    }
  }

  async #login(registry: CloudRegistry, context: CloudContext): Promise<CloudLogin> {
    if (registry.cloud === 'amazon') return (await import('./amazon.ts')).amazonLogin(registry, context);
    if (registry.cloud === 'azure') return (await import('./azure.ts')).azureLogin(registry, context);
    return (await import('./google.ts')).googleLogin(context);
  }
}

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

// What an SDK says may be long, and have several lines.
function reasonOf(error: unknown): string {
  if (isOciError(error)) return error.message;
  if (error instanceof Error && error.name === 'TimeoutError') return `none came within ${timeoutMs / 1000} s`;
  const [line = ''] = String(error instanceof Error ? error.message : error).split('\n', 1);
  return visible(line.slice(0, 200));
}
