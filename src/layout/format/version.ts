import { isOciError, OciError } from '../../model/errors.ts';
import { parseJsonObject } from '../../model/json-fields.ts';
import { quote } from '../../model/quote.ts';
import type { LayoutFiles } from './files.ts';
import { versionPath } from './paths.ts';

const layoutVersion = '1.0.0';
const maxVersionBytes = 64 * 1024;

/** The content of the file that marks a layout. */
export const versionDocument = JSON.stringify({ imageLayoutVersion: layoutVersion });

/**
 * Whether the files are a layout, according to its version file.
 *
 * @param shown Name of the layout in messages.
 * @throws OciError UNSUPPORTED for another version.
 */
export async function isLayout(files: LayoutFiles, shown: string): Promise<boolean> {
  const bytes = await files.read(versionPath, maxVersionBytes);
  if (bytes === undefined) return false;
  const version = versionIn(bytes);
  if (version === layoutVersion) return true;
  const found = typeof version === 'string' ? `version ${quote(version)}` : 'an unreadable version';
  throw new OciError('UNSUPPORTED', `${shown} is an OCI layout of ${found}; only ${layoutVersion} is supported`);
}

function versionIn(bytes: Uint8Array): unknown {
  try {
    return parseJsonObject(bytes)['imageLayoutVersion'];
  } catch (error) {
    if (isOciError(error, 'MANIFEST_INVALID')) return undefined;
    throw error;
  }
}
