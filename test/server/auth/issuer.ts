/** An issuer of tokens in front of an empty registry, with the accounts ada and eve. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { hashSync } from 'bcryptjs';
import { decodeJwt } from 'jose';
import { temporarySigningKey } from '../../../src/certs/signing-key.ts';
import { type AccessRule, repositoryPattern } from '../../../src/model/access-rules.ts';
import { createTokenAuth } from '../../../src/server/auth/token-auth.ts';
import { createTokenIssuer, type IssuerRules } from '../../../src/server/auth/token-issuer.ts';
import { readRoots } from '../../../src/server/auth/token-trust.ts';
import { ada, basic } from '../../support/login-servers.ts';
import { type Answer, ask, type Served, startServer } from '../client.ts';

const covers = (text: string) => repositoryPattern(text) ?? (() => false);
export const rule = (
  who: AccessRule['who'],
  pattern: string,
  ...actions: ('pull' | 'push' | 'delete')[]
): AccessRule => ({
  who,
  repositories: [covers(pattern)],
  actions: new Set(actions),
  catalog: false,
});

export interface Started {
  readonly server: Served;
  readonly accounts: Map<string, string>;
  /** Changes the rules. */
  set(more: Partial<IssuerRules>): void;
}

export async function start(t: TestContext, more: Partial<IssuerRules> = {}): Promise<Started> {
  const accounts = new Map([
    [ada.username, hashSync(ada.password, 4)],
    ['eve', hashSync('evil', 4)],
  ]);
  let rules: IssuerRules = {
    services: ['here', 'there'],
    issuer: 'us',
    expiresMs: 300_000,
    refreshExpiresMs: 3_600_000,
    rules: [
      { ...rule(new Set(['ada']), 'team/**', 'pull', 'push'), catalog: true },
      rule('users', 'shared/*', 'pull'),
      rule('anybody', 'public/*', 'pull'),
    ],
    accounts: async () => accounts,
    ...more,
  };
  const { privateKey, certificate } = temporarySigningKey();
  const issuer = createTokenIssuer({ rules: async () => rules, privateKey, certificate });
  const trust = readRoots(certificate.toString(), 'certificate.pem');
  const authorize = createTokenAuth({
    realm: 'https://us.test/token',
    service: 'here',
    issuer: 'us',
    trust: async () => trust,
    stillAllowed: issuer.allows,
  });
  const server = await startServer(t, { authorize, issuer });
  return {
    server,
    accounts,
    set(changed) {
      rules = { ...rules, ...changed };
    },
  };
}

export function get(server: Served, query = '', account: { username: string; password: string } | string = ada) {
  const authorization = typeof account === 'string' ? account : basic(account);
  return ask(server, 'GET', `/token?${query}`, { headers: authorization === '' ? {} : { authorization } });
}

export function post(server: Served, form: Readonly<Record<string, string>>): Promise<Answer> {
  const body = new URLSearchParams(form).toString();
  return ask(server, 'POST', '/token', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body });
}

export function accessOf(answer: Answer): readonly string[] {
  assert.equal(answer.status, 200, answer.body.toString());
  const document = answer.json();
  const { access } = decodeJwt(String(document['access_token']));
  return (access as { type: string; name: string; actions: string[] }[]).map(
    ({ type, name, actions }) => `${type}:${name}:${actions.join()}`,
  );
}

export const password = { grant_type: 'password', username: ada.username, password: ada.password };
