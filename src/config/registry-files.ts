/** Finds the files of other programs with rules for registries. Their parsers are only loaded if there are such files. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ShortNameRules } from './containers/short-names.ts';
import { type Environment, variable } from './environment.ts';
import { formatOrigin, type Sourced } from './origin.ts';
import { containersAliasFile, containersDirs, hostsDirs } from './paths.ts';
import type { RegistryRule } from './registry-rules.ts';
import type { SettingsReader, SettingsText } from './settings-file.ts';

interface RegistryFilesOptions {
  readonly where: Environment;
  readonly reader: SettingsReader;
  readonly warn: (text: string) => void;
  /** Replaces the default locations of containerd's directories. */
  readonly hostsDir: Sourced<string> | undefined;
  /** Whether short names are read too. */
  readonly shortNames: boolean;
}

interface RegistryFiles {
  readonly rules: readonly RegistryRule[];
  readonly shortNames: ShortNameRules | undefined;
}

/** The rules of registries.conf and of hosts.toml files, in this order. @throws OciError CONFIG_INVALID */
export async function loadRegistryFiles(options: RegistryFilesOptions): Promise<RegistryFiles> {
  const [containers, containerd] = await Promise.all([loadRegistriesConf(options), loadHostsDirs(options)]);
  return { ...containers, rules: [...containers.rules, ...containerd] };
}

/** Whether a directory's name has the form `host_port_`, which precedes `host:port`. */
function isPortForm({ name }: { readonly name: string }): boolean {
  return /_\d+_$/.test(name);
}

/**
 * Reads containerd's directories. A directory without hosts.toml counts too: `_default` does not apply to its host then.
 *
 * @throws OciError CONFIG_INVALID
 */
export async function loadHostsDirs({
  where,
  reader,
  warn,
  hostsDir,
}: RegistryFilesOptions): Promise<readonly RegistryRule[]> {
  const roots = hostsDir ? [hostsDir.value] : hostsDirs(where);
  const namedBy = hostsDir && formatOrigin(hostsDir.origin);
  const directories = await Promise.all(
    roots.map(async (root) => {
      const entries = await reader.list('hosts.toml', root, { namedBy });
      return Promise.all(
        entries
          .filter(({ directory }) => directory)
          .map(async ({ name }) => {
            const [text, inside] = await Promise.all([
              reader.read('hosts.toml', join(root, name, 'hosts.toml')),
              readdir(join(root, name)).catch(() => []),
            ]);
            return { root, name, inside: inside.sort(), ...(text && hasContent(text.text) && { text }) };
          }),
      );
    }),
  );
  if (directories.flat().length === 0) return [];
  const { readHostDirectory } = await import('./containers/hosts-toml.ts');
  return directories.flatMap((ofRoot) =>
    [...ofRoot.filter(isPortForm), ...ofRoot.filter((directory) => !isPortForm(directory))].map((directory) =>
      readHostDirectory(directory, warn),
    ),
  );
}

/** @throws OciError CONFIG_INVALID */
export async function loadRegistriesConf(options: RegistryFilesOptions): Promise<RegistryFiles> {
  const { where, reader, warn, shortNames } = options;
  const aliasFile = shortNames ? containersAliasFile(where) : undefined;
  const [found, recorded] = await Promise.all([
    readContainersFiles(where, reader),
    aliasFile === undefined ? undefined : reader.read('registries.conf', aliasFile),
  ]);
  const texts = found.filter(({ text }) => hasContent(text) && (shortNames || !isOfAliases(text)));
  if (texts.length === 0 && !shortNames) return { rules: [], shortNames: undefined };
  const { openRegistriesConf, readRegistriesConf } = await import('./containers/registries-conf.ts');
  const files = texts.map((each) => ({ ...each, fields: openRegistriesConf(each) }));
  const rules = readRegistriesConf(files, warn);
  if (!shortNames) return { rules, shortNames: undefined };
  const { readShortNames } = await import('./containers/short-names.ts');
  const fields = files.map((file) => file.fields);
  return { rules, shortNames: readShortNames(recorded ? [...fields, openRegistriesConf(recorded)] : fields) };
}

/**
 * The files in the order in which they are merged. The user's registries.conf replaces the system's and its drop-ins;
 * without one, the user's drop-ins follow the system's. A file named by the variable replaces all.
 */
async function readContainersFiles(
  where: Environment,
  reader: SettingsReader,
): Promise<readonly (SettingsText & { readonly dropIn: boolean })[]> {
  const named = variable(where.env, 'CONTAINERS_REGISTRIES_CONF');
  if (named !== undefined) {
    const text = await reader.read('registries.conf', named, { namedBy: 'CONTAINERS_REGISTRIES_CONF' });
    return text ? [{ ...text, dropIn: false }] : [];
  }
  const [user, system] = await Promise.all(
    containersDirs(where).map(async (directory) => {
      const dropInDir = join(directory, 'registries.conf.d');
      const [main, names] = await Promise.all([
        reader.read('registries.conf', join(directory, 'registries.conf')),
        reader.list('registries.conf', dropInDir),
      ]);
      const files = names.flatMap(({ name }) => (name.endsWith('.conf') ? [join(dropInDir, name)] : []));
      const dropIns = await Promise.all(files.map((file) => reader.read('registries.conf', file)));
      return { main, dropIns, all: [join(directory, 'registries.conf'), dropInDir, ...files] };
    }),
  );
  if (user?.main) for (const file of system?.all ?? []) reader.disregard(file);
  const main = user?.main ?? system?.main;
  const dropIns = [...(user?.main ? [] : (system?.dropIns ?? [])), ...(user?.dropIns ?? [])];
  return [
    ...(main ? [{ ...main, dropIn: false }] : []),
    ...dropIns.flatMap((text) => (text ? [{ ...text, dropIn: true }] : [])),
  ];
}

/** Whether a file has aliases only. Distributions install a long one, which is parsed only if short names are needed. */
function isOfAliases(text: string): boolean {
  const [first, ...others] = text.match(/^[^\S\n]*[^#\s].*$/gm) ?? [];
  return (
    first?.trim() === '[aliases]' && others.every((line) => /^\s*"[^"\\]*"\s*=\s*"[^"\\]*"\s*(?:#.*)?$/.test(line))
  );
}

/** Distributions install these files with comments only. */
function hasContent(text: string): boolean {
  return /^[^\S\n]*[^#\s]/m.test(text);
}
