import { formatJson } from '../../terminal/json.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { Deletion } from './delete-digest.ts';

/** Prints what was deleted, or what would be. */
export async function printDeletion(
  { names, leftBehind }: Deletion,
  { json, dryRun = false }: { readonly json: boolean; readonly dryRun?: boolean },
  terminal: Terminal,
): Promise<void> {
  const document = { [dryRun ? 'wouldDelete' : 'deleted']: names, leftBehind: leftBehind ?? null };
  if (json) return terminal.out(`${formatJson(document)}\n`);
  for (const name of names) await terminal.out(`${dryRun ? 'Would delete' : 'Deleted'}: ${name}\n`);
}
