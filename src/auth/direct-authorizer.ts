import { OciError } from '../model/errors.ts';
import type { Authorizer } from './contract.ts';

/** Sends every request as it is: no token server is asked, no credential looked up, and a 401 is the answer. */
export function createDirectAuthorizer(registry: string): Authorizer {
  return {
    source: undefined,
    isLate: false,
    lateRefusal: undefined,
    late: async () => undefined,
    authorize: async () => undefined,
    async challenged() {
      throw new OciError('UNAUTHORIZED', `unauthorized: ${registry} asks who is there, and was asked directly`, {
        status: 401,
        hint: 'open the registry without `direct`',
      });
    },
  };
}
