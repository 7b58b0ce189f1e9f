/** The exit status of `--dry-run` if something would change. @see docs/exit-codes.md */
export const differs = 12;
