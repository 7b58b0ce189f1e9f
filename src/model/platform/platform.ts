import { checkArgument, checkFields, checkOptions } from '../check-arguments.ts';
import { OciError } from '../errors.ts';
import { asObject } from '../json-fields.ts';
import { hiddenCharacter, quote } from '../quote.ts';

/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions */
export interface Platform {
  /** As Go names it: `linux`. */
  readonly os: string;
  /** As Go names it: `arm64`. */
  readonly architecture: string;
  /** Of the architecture: `v7`. */
  readonly variant?: string;
  /** Of Windows: `10.0.17763.1`. */
  readonly osVersion?: string;
  /** `win32k`. */
  readonly osFeatures?: readonly string[];
}

/** Reads the platform object of a descriptor. @throws OciError MANIFEST_INVALID */
export function parsePlatformObject(value: unknown, where: string): Platform {
  const fields = asObject(value, where);
  const read = (key: string): string => {
    const field = fields[key] ?? '';
    if (typeof field === 'string') return field;
    throw new OciError('MANIFEST_INVALID', `malformed manifest: ${where}.${key} must be a string`);
  };
  const features: unknown = fields['os.features'] ?? [];
  if (!Array.isArray(features) || !features.every((feature) => typeof feature === 'string')) {
    throw new OciError('MANIFEST_INVALID', `malformed manifest: ${where}.os.features must be a list of strings`);
  }
  return platformOf(read('os'), read('architecture'), read('variant'), read('os.version'), features);
}

/** What {@link parsePlatformObject} reads, with its fields in the order of the specification. */
export function platformObject({ architecture, os, osVersion, osFeatures, variant }: Platform): object {
  return {
    architecture,
    os,
    ...(osVersion !== undefined && { 'os.version': osVersion }),
    ...(osFeatures !== undefined && { 'os.features': osFeatures }),
    ...(variant !== undefined && { variant }),
  };
}

/**
 * Reads `os[/architecture[/variant]]` or `architecture`, and normalises it (aarch64 → arm64 …);
 * `windows(10.0.17763)/amd64` includes a version. Missing parts are filled in from {@link hostPlatform}.
 *
 * @throws OciError USAGE
 * @see https://github.com/containerd/platforms/blob/v1.0.0-rc.1/platforms.go
 */
export function parsePlatform(text: string): Platform {
  checkArgument('parsePlatform', 'the platform', text, 'string');
  const [, os = '', version = '', , architecture, , variant = ''] =
    /^([\w.-]+)(?:\(([\w.-]+)\))?(\/([\w.-]+)(\/([\w.-]+))?)?$/.exec(text) ?? [];
  if (os === '') throw unreadable(text);
  if (architecture !== undefined) return normalizePlatform(platformOf(os, architecture, variant, version));
  const host = hostPlatform();
  const word = normalizePlatform(platformOf(os, os, '', version));
  if (systems.has(word.os)) return platformOf(word.os, host.architecture, host.variant, version);
  if (version !== '' || !architectures.has(word.architecture)) throw unreadable(text);
  return platformOf(host.os, word.architecture, word.variant);
}

/** One name for each platform: arm64/v8 → arm64, x86_64 → amd64, armhf → arm/v7, macos → darwin, all in lower case. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const written = platform.architecture.toLowerCase();
  const [architecture, implied] = aliases.get(written) ?? [written];
  const variant = implied ?? (platform.variant ?? '').toLowerCase().replace(/^(?=\d)/, 'v');
  const canonical = architecture === 'arm' ? variant || 'v7' : variant;
  return platformOf(
    os === 'macos' ? 'darwin' : os,
    architecture,
    impliedVariants.get(architecture)?.includes(canonical) === true ? '' : canonical,
    platform.osVersion,
    platform.osFeatures,
  );
}

/** `linux/arm/v7`, `windows(10.0.17763)/amd64`; characters that could write to a terminal become `?`. */
export function formatPlatform(platform: Platform): string {
  checkFields('formatPlatform', 'the platform', platform, { os: 'string', architecture: 'string' });
  const { os, architecture, variant, osVersion } = platform;
  const system = osVersion === undefined ? os : `${os}(${osVersion})`;
  const text = `${system}/${architecture}${variant === undefined ? '' : `/${variant}`}`;
  return text.replace(hiddenCharacter, '?');
}

/** For people: crane makes images from nothing whose config names no platform. */
export function describePlatform(platform: Platform): string {
  return platform.os === '' && platform.architecture === '' ? 'no platform' : formatPlatform(platform);
}

/**
 * The default platform on this machine: its architecture, and always linux, because on macOS and Windows containers run
 * in a Linux virtual machine too.
 *
 * @param facts Another machine, in Node's terms (`process.platform`, `process.arch`).
 */
export function hostPlatform(facts: { readonly os?: string; readonly architecture?: string } = {}): Platform {
  checkOptions('hostPlatform', facts, { os: 'string', architecture: 'string' });
  const architecture = facts.architecture ?? process.arch;
  const { arm_version: armVersion } = process.config.variables as { readonly arm_version?: string | number };
  return normalizePlatform({
    os: 'linux',
    architecture: nodeArchitectures.get(architecture) ?? architecture,
    ...(architecture === 'arm' && armVersion !== undefined && { variant: String(armVersion) }),
  });
}

/** Leaves out empty fields, so that two descriptions of one platform are deeply equal. */
function platformOf(
  os: string,
  architecture: string,
  variant = '',
  osVersion = '',
  features: readonly string[] = [],
): Platform {
  return {
    os,
    architecture,
    ...(variant !== '' && { variant }),
    ...(osVersion !== '' && { osVersion }),
    ...(features.length > 0 && { osFeatures: features }),
  };
}

function unreadable(text: string): OciError {
  return new OciError('USAGE', `unknown platform: ${quote(text)}`, {
    hint: 'a platform looks like linux/amd64, linux/arm/v7, arm64 or windows(10.0.17763)/amd64',
  });
}

const aliases: ReadonlyMap<string, readonly [architecture: string, variant?: string]> = new Map([
  ['x86_64', ['amd64']],
  ['x86-64', ['amd64']],
  ['i386', ['386']],
  ['i486', ['386']],
  ['i586', ['386']],
  ['i686', ['386']],
  ['x86', ['386']],
  ['aarch64', ['arm64']],
  ['armhf', ['arm', 'v7']],
  ['armv7l', ['arm', 'v7']],
  ['armel', ['arm', 'v6']],
  ['armv6l', ['arm', 'v6']],
]);

/** Variants that are the same as the architecture without a variant. */
const impliedVariants: ReadonlyMap<string, readonly string[]> = new Map([
  ['amd64', ['v1']],
  ['arm64', ['v8', 'v8.0']],
]);

const nodeArchitectures: ReadonlyMap<string, string> = new Map([
  ['x64', 'amd64'],
  ['ia32', '386'],
  ['ppc64', 'ppc64le'],
  ['mipsel', 'mipsle'],
]);

const systems: ReadonlySet<string> = new Set(
  'aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasi wasip1 windows zos'.split(
    ' ',
  ),
);

const architectures: ReadonlySet<string> = new Set(
  '386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x sparc64 wasm'.split(' '),
);
