import { OciError } from '../model/errors.ts';
import type { Authorizer } from './contract.ts';

/** Sends every request as it is: it uses no token server and no credentials, and a 401 is final. */
export function createDirectAuthorizer(registry: string): Authorizer {
  return {
    source: undefined,
    isLate: false,
    isUnasked: false,
    lateRefusal: undefined,
    late: async () => undefined,
    authorize: async () => undefined,
    isKept: () => false,
    taken() {},
    async unwanted() {},
    async challenged() {
      throw new OciError(
        'UNAUTHORIZED',
        `unauthorized: ${registry} requires authentication, but was opened with \`direct\``,
        {
          status: 401,
          hint: 'open the registry without `direct`',
        },
      );
    },
  };
}
