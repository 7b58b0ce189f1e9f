/** Reads sync files as the command does. */
import assert from 'node:assert/strict';
import { isOciError } from '../../../src/model/errors.ts';
import { parseRepositoryName, parseTag, type Tag } from '../../../src/model/reference/reference.ts';
import type { CompileTemplate } from '../../../src/sync/file/name-rule.ts';
import { readSyncFile } from '../../../src/sync/file/read-sync-file.ts';
import type { SyncFile, SyncSource } from '../../../src/sync/file/sync-file.ts';
import { chooseTags } from '../../../src/sync/tags/tag-rule.ts';
import { targetOf } from '../../../src/sync/target.ts';
import { parseTemplate } from '../../../src/terminal/template.ts';

export const file = 'mirror.yaml';

const compile: CompileTemplate = (text, fields) => {
  const template = parseTemplate(text, { fields });
  return (data) => template.render(data).replace(/\n$/, '');
};

export function read(text: string, destination?: string): SyncFile {
  return readSyncFile(text, { file, destination, compile });
}

/** The first source. */
export function firstOf(text: string, destination?: string): SyncSource {
  const [first] = read(text, destination).sources;
  assert.ok(first);
  return first;
}

/** The tags that a source chooses of a list. */
export function chosen(source: SyncSource, tags: string): string {
  return chooseTags(tags.split(' ').map(parseTag), source.tags).tags.join(' ');
}

/** Where an image of a source goes. */
export function goesTo(source: SyncSource, path: string, tag = '1'): readonly string[] {
  const image = { host: source.host, path: parseRepositoryName(path), reference: tag as Tag };
  return source.to.map((rule) => targetOf(rule, image).fullName);
}

/** Asserts that reading fails with a message that begins with a place in the file, and a code. */
export function refuses(text: string, message: RegExp, { destination, code = 'CONFIG_INVALID' }: Refusal = {}): void {
  assert.throws(
    () => read(text, destination),
    (error) => {
      assert.ok(isOciError(error, code), String(error));
      assert.match(error.message, message);
      assert.ok(error.hint === undefined || /^[a-z'"{0-9-]/.test(error.hint), error.hint);
      return true;
    },
  );
}

interface Refusal {
  readonly destination?: string;
  readonly code?: 'CONFIG_INVALID' | 'USAGE';
}
