/** The native packages for the system's keychain. Only the process of the credential helper loads one. */
import { OciError } from '../model/errors.ts';
import { hasOptionalPackage, loadOptionalPackage } from '../packaging/package-parts.ts';

/** The functions that are used, as in keytar: a service has accounts, each with one password. */
interface KeychainLibrary {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  /** @returns Whether there was one. */
  deletePassword(service: string, account: string): Promise<boolean>;
  findCredentials(service: string): Promise<{ account: string; password: string }[]>;
}

/** The part of @napi-rs/keyring that is used. A constructor throws if the keychain cannot be reached. */
interface Keyring {
  readonly AsyncEntry: new (
    service: string,
    account: string,
    options: { readonly linux: { readonly store: 'secret-service' } },
  ) => {
    getPassword(): Promise<string | null>;
    setPassword(password: string): Promise<void>;
    deletePassword(): Promise<boolean>;
  };
  findCredentialsAsync(service: string): Promise<{ account: string; password: string }[]>;
}

/** The first one that loads is used. keytar comes first, because earlier versions stored logins only with it. */
const packages: readonly {
  readonly name: string;
  readonly adapt: (loaded: unknown, platform: NodeJS.Platform) => KeychainLibrary;
}[] = [
  { name: 'keytar', adapt: (loaded) => loaded as KeychainLibrary },
  { name: '@napi-rs/keyring', adapt: (loaded, platform) => likeKeytar(loaded as Keyring, platform) },
];

/** Whether one of the packages is installed. Loads none. */
export function hasKeychainLibrary(): boolean {
  return packages.some(({ name }) => hasOptionalPackage(name));
}

/** @throws OciError UNSUPPORTED if none can be loaded. */
export function loadKeychainLibrary(platform: NodeJS.Platform): KeychainLibrary {
  const failures: unknown[] = [];
  for (const { name, adapt } of packages) {
    try {
      return adapt(loadOptionalPackage(name), platform);
    } catch (error) {
      failures.push(error);
    }
  }
  const names = packages.map(({ name }) => name).join(' nor ');
  throw new OciError('UNSUPPORTED', `there is no keychain here: neither ${names} can be loaded`, {
    hint: 'install ocictl again with its optional packages; on Linux keytar needs libsecret-1',
    cause: new AggregateError(failures),
  });
}

function likeKeytar({ AsyncEntry, findCredentialsAsync }: Keyring, platform: NodeJS.Platform): KeychainLibrary {
  // By default it falls back to the kernel's keyring if there is no Secret Service, and that is lost at the next boot.
  const options = { linux: { store: 'secret-service' } } as const;
  // It stores the account as `username` in the Secret Service, and keytar crashes on an entry of its service without
  // `account`.
  const named = (service: string): string => (platform === 'linux' ? `${service} (keyring)` : service);
  const entry = (service: string, account: string) => new AsyncEntry(named(service), account, options);
  return {
    getPassword: async (service, account) => entry(service, account).getPassword(),
    setPassword: async (service, account, password) => entry(service, account).setPassword(password),
    deletePassword: async (service, account) => entry(service, account).deletePassword(),
    findCredentials: async (service) => findCredentialsAsync(named(service)),
  };
}
