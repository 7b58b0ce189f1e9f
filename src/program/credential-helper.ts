/** `docker-credential-ocictl`: the keychain as a credential helper for docker, skopeo, podman and ocictl itself. */
import { writeSync } from 'node:fs';
import { answerHelperCall } from '../credentials/helper-protocol.ts';
import { openKeychain } from '../credentials/keychain.ts';
import { OciError } from '../model/errors.ts';
import { visible } from '../model/quote.ts';
import { version } from '../version.ts';

/** Enough for a person to unlock a keyring; the calling program may have no limit of its own. */
const limitMs = 60_000;
const maxInputBytes = 1024 * 1024;

/** @param words The words after the program's name. @returns The exit status. */
export async function main(words: readonly string[]): Promise<number> {
  const [action = ''] = words;
  if (action === 'version' || action === '--version') {
    process.stdout.write(`docker-credential-ocictl ${version}\n`);
    return 0;
  }
  const timer = setTimeout(() => {
    writeSync(1, `the keychain did not answer within ${limitMs / 1000} s: is its keyring locked?\n`);
    // A call that hangs keeps a thread, and Node waits for its threads when it exits.
    process.kill(process.pid, 'SIGKILL');
  }, limitMs);
  try {
    const input = action === 'list' ? '' : await readInput();
    const { status, text } = await answerHelperCall(action, input, () => openKeychain(process.env, process.platform));
    if (text !== '') process.stdout.write(`${text}\n`);
    return status;
  } catch (error) {
    const hint = error instanceof OciError && error.hint !== undefined ? ` (${error.hint})` : '';
    process.stdout.write(`${visible(`${error instanceof Error ? error.message : String(error)}${hint}`)}\n`);
    return 1;
  } finally {
    clearTimeout(timer);
  }
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const piece = Buffer.from(chunk as Uint8Array);
    bytes += piece.length;
    if (bytes > maxInputBytes) throw new OciError('USAGE', 'standard input is too long');
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString('utf8');
}
