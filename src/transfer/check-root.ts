import { checkArgument, checkFields } from '../model/check-arguments.ts';
import type { TransferRoot } from './options.ts';

/** Refuses ends of a transfer that plain JavaScript got wrong. @throws OciError USAGE */
export function checkRoot(caller: string, { from, to }: TransferRoot): void {
  checkFields(caller, 'from', from, { registry: 'object', repo: 'string', reference: 'string' });
  checkFields(caller, 'to', to, { registry: 'object', repo: 'string', tags: 'array' });
  for (const tag of to.tags) checkArgument(caller, 'a tag', tag, 'string');
}
