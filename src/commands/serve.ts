import { OciError } from '../model/errors.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag, list, value } from './command-line/command.ts';
import { defaultAddress, parseListenAddress, parseRate, parseTime, riskOf, startLines } from './serve/announcement.ts';

const graceMs = 10_000;

export const serve = defineCommand({
  name: 'serve',
  summary: 'Run a registry',
  description:
    'Keeps images in a directory of its own (--root), in memory (--memory), or offers the local store, which nobody can\n' +
    'write to over HTTP (--store). The first line on stdout says where it listens, and stderr how to pull from there. It\n' +
    'stops on Ctrl-C or SIGTERM, after the requests that are under way. With -v every request is logged on stderr, without\n' +
    'queries and credentials; what fails in the registry itself is always logged.\n\n' +
    'This machine alone reaches it unless --addr names another address; without a host (:5000) it is this machine too.\n' +
    'The store names an image by the registry it came from: alpine is docker.io/library/alpine there, and is pulled with\n' +
    'ocictl pull 127.0.0.1:5000/docker.io/library/alpine, or under its plain name with --mirror-of docker.io; the colon of\n' +
    'a port is an underscore: localhost:5001/app is localhost_5001/app.\n\n' +
    'With --tls-cert and --tls-key it speaks https. The files are read again when they change; those who are connected stay,\n' +
    'and a pair that cannot be used is told and left aside. Behind a proxy, --trust-proxy names where its word counts about\n' +
    'clients: X-Forwarded-For, -Proto and -Host, or Forwarded.\n\n' +
    'With --auth htpasswd=FILE only its users get in, to everything: made by htpasswd -B, read again when it changes.\n' +
    'With --auth token=REALM,service=NAME,issuer=NAME,cert=FILE clients get tokens at REALM, which are for NAME and signed\n' +
    'by a certificate in FILE or one that it issued; jwks=FILE names a JSON Web Key Set instead.\n\n' +
    'With --issue-tokens FILE it is such a token server itself, for its own registry and others. The file is YAML:\n\n' +
    '  users:\n' +
    '    ada: $2y$10$…          # made by htpasswd -Bn ada; or htpasswd: FILE\n' +
    '  rules:\n' +
    '    - users: [ada]         # or all\n' +
    '      repositories: team/**\n' +
    '      actions: [pull, push, delete, catalog]\n' +
    '    - anonymous: true\n' +
    '      repositories: public/**\n' +
    '      actions: pull\n\n' +
    'It is read again when it changes. The key that signs is kept in --root, below tokens.',
  arguments: [],
  options: {
    address: value(
      '--addr <host:port>',
      `Where to listen, 0.0.0.0 for others too; port 0 takes a free one (default ${defaultAddress})`,
    ),
    allowHost: list('--allow-host <host>', 'Answer to this name too, where only this machine reaches it'),
    root: value('--root <dir>', 'Keep images in this directory, which is made when it is missing'),
    memory: flag('--memory', 'Keep images in memory, until it stops'),
    store: flag('--store', 'Offer the images of the local store, read-only'),
    mirrorOf: value('--mirror-of <domain>', 'Offer what came from this domain under plain names, as its mirror'),
    readOnly: flag('--read-only', 'Refuse pushes and deletes'),
    sparse: flag('--sparse', 'Take images and indexes also where layers or images that they name are missing'),
    auth: value(
      '--auth <kind>',
      'Who may: htpasswd=FILE its users, token=REALM,… who has a token, none everybody (default)',
      {
        choices: ['none', 'htpasswd=', 'token='],
      },
    ),
    tlsCert: value('--tls-cert <file>', 'Speak https with this certificate and its chain, in PEM'),
    tlsKey: value('--tls-key <file>', 'The key of the certificate (default: in the same file)'),
    clientCa: value('--client-ca <file>', 'Let in only clients with a certificate of these authorities'),
    trustProxy: list(
      '--trust-proxy <network>',
      'Take the client, its scheme and its Host from what proxies in this network say',
    ),
    issueTokens: value(
      '--issue-tokens <file>',
      'Give out tokens at /token, to the users and by the rules of this file',
    ),
    uploadTimeout: value(
      '--upload-timeout <time>',
      'Give up uploads that nobody goes on with for so long: 90s, 30m, 12h (default 24h; 1h with --memory)',
    ),
    minRate: value(
      '--min-rate <bytes>',
      'Cut clients that send or take less in a second, over a minute (default 256; 0: none)',
    ),
    json: flag('--json', 'Print where it listens as JSON, and the log on stderr as one JSON document a line'),
  },
  examples: [
    { text: 'A registry for the length of a test', command: 'serve --memory --addr 127.0.0.1:0' },
    {
      text: 'A registry for others, of images that they cannot change',
      command: 'serve --root images --read-only --addr 0.0.0.0:5000',
    },
    { text: 'A registry for those who have a password', command: 'serve --root images --auth htpasswd=users' },
    {
      text: 'The same for others, over TLS',
      command: 'serve --root images --auth htpasswd=users --addr 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem',
    },
    {
      text: 'A registry whose users may do what a file says',
      command: 'serve --root images --issue-tokens access.yaml',
    },
    { text: 'What was pulled here, as a mirror of Docker Hub', command: 'serve --store --mirror-of docker.io' },
  ],
  async run({ options }, context) {
    if ([options.root !== undefined, options.memory, options.store].filter(Boolean).length > 1) {
      throw new OciError('USAGE', 'conflicting options: --root, --memory and --store name different places', {
        hint: 'choose one of them',
      });
    }
    const { terminal, signal, verbose } = context;
    const { json } = options;
    const asked = parseListenAddress(options.address ?? defaultAddress);
    const sessionIdleMs = parseTime(options.uploadTimeout ?? (options.memory ? '1h' : '24h'));
    const minBytesPerSecond = parseRate(options.minRate ?? '256');
    const served = await context.openServed(options);
    const { serve: listen } = await import('../server/server.ts');
    const { formatAccess, formatAccessJson, isOurFailure } = await import('../server/http/access-log.ts');
    const { host, port } = asked;
    const writes = !served.readOnly;
    const server = await listen({
      registry: served.registry,
      host,
      port,
      allowedHosts: options.allowHost,
      writes,
      tls: served.tls?.current,
      isProxy: served.isProxy,
      authorize: served.authorize,
      issuer: served.issuer,
      sessionIdleMs,
      minBytesPerSecond,
      log(entry) {
        if (!verbose && !isOurFailure(entry)) return;
        terminal.note((json ? formatAccessJson : formatAccess)(entry, new Date()));
      },
    });
    const { address, url, loopback } = server;
    const endWatch = served.tls?.watch((tls) => server.renewTls(tls));
    // Where even the first line cannot be written, nobody knows of the server, and it must not go on.
    try {
      if (json) {
        await terminal.out(`${formatJson({ serving: served.what, address, url, readOnly: served.readOnly })}\n`);
      } else {
        await terminal.out(`Serving ${served.what} on ${served.tls ? 'https' : 'http'}://${address}\n`);
        const heard = { bound: address, here: new URL(url).host, loopback, asked };
        for (const line of [...startLines(served, heard), ...served.notes]) terminal.note(line);
        const risk = loopback ? undefined : riskOf(served);
        if (risk !== undefined) terminal.warn(risk);
      }
      await aborted(signal);
      if (!json) terminal.note('stopping, after the requests that are under way');
    } finally {
      endWatch?.();
      await server.stop({ graceMs });
    }
  },
});

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
