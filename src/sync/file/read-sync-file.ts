import { configError } from '../../config/documents/config-error.ts';
import { parseYamlDocument } from '../../config/documents/yaml-document.ts';
import { readSettingsFile } from '../../config/settings-file.ts';
import { OciError } from '../../model/errors.ts';
import type { FormatInput } from './format-input.ts';
import { destinationRule } from './name-rule.ts';
import { readOwnFormat } from './own-format.ts';
import { readRegsyncFormat } from './regsync-format.ts';
import { readSkopeoFormat } from './skopeo-format.ts';
import type { SyncFile } from './sync-file.ts';

interface ReadOptions extends Pick<FormatInput, 'file' | 'compile'> {
  /** A template, or a prefix below which images keep their full names. */
  readonly destination: string | undefined;
}

/** Reads the text of a sync file. @throws OciError CONFIG_INVALID if it does not exist or cannot be read. */
export async function loadText(file: string): Promise<string> {
  const text = await readSettingsFile(file);
  if (text !== undefined) return text;
  throw new OciError('CONFIG_INVALID', `${file} does not exist`, {
    hint: 'name a file that lists sources and where their images go; docs/sync.md shows one',
  });
}

/**
 * Reads a sync file: one of ocictl's own format, of regsync, or of `skopeo sync --src yaml`. They are told apart by their
 * keys.
 *
 * @throws OciError CONFIG_INVALID with file, line and column of what is unknown or cannot be done; USAGE for a
 * destination that is missing or that nothing needs.
 */
export function readSyncFile(text: string, { file, destination, compile }: ReadOptions): SyncFile {
  const document = parseYamlDocument(text, file);
  const { value } = document;
  if (!isObject(value) || Object.keys(value).length === 0) {
    const hint = 'it lists sources and where their images go; docs/sync.md shows one';
    throw configError({ kind: 'file', name: file }, 'the file has no sources', hint);
  }
  const given = destination === undefined ? undefined : { value: destination, origin: commandLine };
  const input = { document, file, compile, destination: given && destinationRule(given, compile) };
  if (Object.hasOwn(value, 'sources')) return readOwnFormat(input);
  if (Object.hasOwn(value, 'sync')) return readRegsyncFormat(input);
  return Object.values(value).some(isOfSkopeo) ? readSkopeoFormat(input) : readOwnFormat(input);
}

const commandLine = { kind: 'flag', name: 'DESTINATION' } as const;

function isOfSkopeo(registry: unknown): boolean {
  return isObject(registry) && ['images', 'images-by-tag-regex', 'images-by-semver'].some((key) => key in registry);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
