/** What the calls of the library have in common: the registry service that a call works with. */
import type { AuthProvider } from '../auth/auth-provider.ts';
import { loadSettings } from '../config/settings.ts';
import { checkArgument, checkOptions, type Shape } from '../model/check-arguments.ts';
import { OciError } from '../model/errors.ts';
import { parseReference, type Reference } from '../model/reference/reference.ts';
import type { Registry } from '../registry/registry.ts';
import type { RegistryService, RegistryServiceOptions } from '../service/contract.ts';
import { createRegistryService } from '../service/create-service.ts';

/** How a call reaches registries. */
export interface CallOptions {
  /**
   * A service that stays open, for programs that make many calls: they share connections and tokens. Default: a service for
   * this call alone, by Docker's files (mirrors, certificates, credentials), which is closed when the call ends.
   */
  readonly service?: RegistryService | undefined;
  /** Credentials instead of those in Docker's files. Refused beside `service`, which has its own. */
  readonly credentials?: AuthProvider | undefined;
  /** Told what a user should know, once each: a file that was skipped, a warning of a registry. Default: nobody is told. */
  readonly warn?: ((text: string) => void) | undefined;
  /** Ends the call, which then rejects with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
}

export const callShape: Shape<CallOptions> = {
  service: 'object',
  credentials: 'object',
  warn: 'function',
  signal: 'object',
};

/** The service of one call. Leaving the scope closes it, unless it is the caller's. */
interface Session extends AsyncDisposable {
  readonly service: RegistryService;
}

/** @throws OciError CONFIG_INVALID */
export async function openSession(
  { service, credentials, warn }: CallOptions,
  { onWait }: Pick<RegistryServiceOptions, 'onWait'> = {},
): Promise<Session> {
  if (service) return { service, [Symbol.asyncDispose]: async () => {} };
  const own = createRegistryService({ settings: await loadSettings(), credentials, warn, onWait });
  return { service: own, [Symbol.asyncDispose]: () => own.close() };
}

/** Checks what every call of one reference is given. @throws OciError USAGE, REFERENCE_INVALID */
export function checkCall<T extends CallOptions>(
  caller: string,
  reference: string,
  options: T,
  shape: Shape<T>,
): Reference {
  checkArgument(caller, 'the reference', reference, 'string');
  checkCallOptions(caller, options, shape);
  return parseReference(reference);
}

/** @throws OciError USAGE */
export function checkCallOptions<T extends CallOptions>(caller: string, options: T, shape: Shape<T>): void {
  checkOptions(caller, options, shape);
  if (options.service === undefined || options.credentials === undefined) return;
  throw new OciError('USAGE', `${caller}: there is a service, which has its own credentials`, {
    hint: 'give the credentials to createRegistryService, or leave the service out',
  });
}

/** Runs a call on the registry of a reference. */
export async function withRegistry<T>(
  reference: Reference,
  intent: 'pull' | 'push',
  options: CallOptions,
  run: (registry: Registry) => Promise<T>,
): Promise<T> {
  await using session = await openSession(options);
  return await run(await session.service.open(reference, intent));
}
