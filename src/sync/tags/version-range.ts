/** Ranges of versions over tags, which are rarely strict versions: `v1.2`, `24.04`, `3.20-alpine`. */
import Range from 'semver/classes/range.js';
import SemVer from 'semver/classes/semver.js';

/** Whether a tag is a version in the range. */
type VersionRange = (tag: string) => boolean;

/** Longer ranges are mistakes, and would take long to parse. */
const maxLength = 256;

/**
 * Parses a range as npm writes it. A comma means "and", as in Go's Masterminds/semver. Numbers that a tag lacks count as 0.
 *
 * @param opts.suffixes Whether a version with a suffix (`1.2.3-alpine`) is in a range whose bounds have none. It counts
 * as a pre-release, which is below the version itself.
 * @returns Undefined for what is no range.
 * @see https://github.com/npm/node-semver#ranges
 */
export function parseVersionRange(
  text: string,
  { suffixes }: { readonly suffixes: boolean },
): VersionRange | undefined {
  if (text.trim() === '' || text.length > maxLength) return undefined;
  let range: Range;
  try {
    range = new Range(text.replaceAll(',', ' '), { includePrerelease: suffixes });
  } catch {
    return undefined;
  }
  return (tag) => {
    const version = versionOf(tag);
    return version !== undefined && range.test(version);
  };
}

// Leading zeros are no fault: 24.04 is a version of Ubuntu.
function versionOf(tag: string): SemVer | undefined {
  const [, major, minor = '0', patch = '0', suffix = ''] =
    /^v?(\d{1,15})(?:\.(\d{1,15}))?(?:\.(\d{1,15}))?(-[0-9A-Za-z.-]+)?$/.exec(tag) ?? [];
  if (major === undefined) return undefined;
  try {
    return new SemVer(`${Number(major)}.${Number(minor)}.${Number(patch)}${suffix}`, { loose: true });
  } catch {
    return undefined;
  }
}
