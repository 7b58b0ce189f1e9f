/**
 * Names of files that say what a layer deletes.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
 */

/** The names of whiteouts begin so. */
export const whiteout = '.wh.';

/** Hides all that lower layers have in its directory. */
export const opaque = '.wh..wh..opq';

/** Of aufs; no runtime takes them for whiteouts. */
export const metadata = '.wh..wh.';
