/** Whether small files are read without threads and promises of Node's, see `directReads` in scripts/build.mjs. */
export const directReads = { areOn: false };
