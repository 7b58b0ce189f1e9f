import { signedBytes } from '../formats/dsse.ts';
import type { SignRequest } from './written.ts';

/** Signs a statement: what an envelope of it holds. */
export async function signStatement(payload: Uint8Array, { signer }: Pick<SignRequest, 'signer'>) {
  return { payload, signature: await signer.sign(signedBytes(payload)) };
}
