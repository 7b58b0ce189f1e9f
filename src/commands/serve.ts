import { OciError } from '../model/errors.ts';
import { unlessAborted } from '../model/signals/when-aborted.ts';
import type { RunningServer } from '../server/options.ts';
import { counted } from '../terminal/format.ts';
import { formatJson } from '../terminal/json.ts';
import { defineCommand, flag, list, value } from './command-line/command.ts';
import { openAccessLog } from './serve/access-log.ts';
import { defaultAddress, parseListenAddress, parseRate, parseTime, riskOf, startLines } from './serve/announcement.ts';
import { collectEach, readInterval } from './serve/collecting.ts';
import { openMetrics } from './serve/metrics.ts';
import { operatingOptions, readDrain, readOperating } from './serve/operating.ts';

export const serve = defineCommand({
  name: 'serve',
  summary: 'Run a registry',
  description:
    'Keeps images in a directory of its own (--root) or in memory (--memory), or serves the local store (--store), which\n' +
    'nobody can write to over HTTP. The first line on stdout says where it listens, and stderr says how to pull from it. It\n' +
    'stops on Ctrl-C or SIGTERM, after the running requests. With -v every request is logged on stderr, without queries and\n' +
    'credentials; errors of the registry itself are always logged.\n\n' +
    'Only this machine can reach it, unless --addr names another address; an address without a host (:5000) is this machine\n' +
    'too. The store names an image after the registry it came from: alpine is docker.io/library/alpine there. It is pulled\n' +
    'with ocictl pull 127.0.0.1:5000/docker.io/library/alpine, or under its plain name with --mirror-of docker.io. The\n' +
    'colon of a port is an underscore: localhost:5001/app is localhost_5001/app.\n\n' +
    'With --tls-cert and --tls-key it speaks https. It reads changed files again; existing connections stay, and a pair\n' +
    'that cannot be used is reported and ignored. Behind a proxy, --trust-proxy names the networks whose headers about the\n' +
    'client are trusted: X-Forwarded-For, -Proto and -Host, or Forwarded.\n\n' +
    'With --auth htpasswd=FILE, only the users in FILE have access, to everything. Make the file with htpasswd -B; it is\n' +
    'read again when it changes.\n' +
    'With --auth token=REALM,service=NAME,issuer=NAME,cert=FILE, clients get tokens at REALM. A token must be for this\n' +
    'service and signed by a certificate in FILE, or by one that it issued; jwks=FILE names a JSON Web Key Set instead.\n\n' +
    'With --issue-tokens FILE it is a token server itself, for its own registry and others. The file is YAML:\n\n' +
    '  users:\n' +
    '    ada: $2y$10$…          # made by htpasswd -Bn ada; or htpasswd: FILE\n' +
    '  rules:\n' +
    '    - users: [ada]         # or all\n' +
    '      repositories: team/**\n' +
    '      actions: [pull, push, delete, catalog]\n' +
    '    - anonymous: true\n' +
    '      repositories: public/**\n' +
    '      actions: pull\n\n' +
    'The file is read again when it changes. The signing key is kept in --root, below tokens.',
  arguments: [],
  options: {
    address: value(
      '--addr <host:port>',
      `Where to listen: 0.0.0.0 also for other machines, port 0 for a free port (default ${defaultAddress})`,
    ),
    allowHost: list('--allow-host <host>', 'Also accept this Host header when listening on loopback'),
    root: value(
      '--root <dir>',
      'Keep images in this directory, which is created if it is missing, or in s3://BUCKET/PREFIX?…',
    ),
    memory: flag('--memory', 'Keep images in memory; they are gone when it stops'),
    store: flag('--store', 'Serve the images of the local store, read-only'),
    mirrorOf: value('--mirror-of <domain>', 'Serve the images of this domain under plain names, as its mirror'),
    readOnly: flag('--read-only', 'Refuse pushes and deletes'),
    sparse: flag('--sparse', 'Accept images and indexes even if layers or images that they name are missing'),
    auth: value(
      '--auth <kind>',
      'Who may access it: users of htpasswd=FILE, holders of a token (token=REALM,…), or everyone (none, the default)',
      {
        choices: ['none', 'htpasswd=', 'token='],
      },
    ),
    tlsCert: value('--tls-cert <file>', 'Speak https with this certificate and its chain, in PEM'),
    tlsKey: value('--tls-key <file>', 'The key of the certificate (default: in the same file)'),
    clientCa: value('--client-ca <file>', 'Accept only clients with a certificate of these authorities'),
    trustProxy: list(
      '--trust-proxy <network>',
      'Trust what proxies in this network say about the client, its scheme and its Host',
    ),
    redirect: flag('--redirect', 'Send clients to the store itself for blobs, if it gives out URLs'),
    redirectMin: value('--redirect-min <size>', 'Send blobs smaller than this from here: 500kB, 1MB, 4MiB'),
    redirectExcept: list('--redirect-except <network>', 'Send blobs to clients in this network from here'),
    redirectHost: value('--redirect-host <url>', 'Sign URLs of the store for this scheme and host'),
    redirectUrl: value('--redirect-url <url>', 'Send clients to a server that has the files of the store at this URL'),
    redirectCloudfront: value(
      '--redirect-cloudfront <id=file>',
      'Sign --redirect-url for CloudFront, with this id of a key and its private key',
    ),
    issueTokens: value('--issue-tokens <file>', 'Issue tokens at /token, with the users and rules in this file'),
    uploadTimeout: value(
      '--upload-timeout <time>',
      'Drop uploads that are not continued for this time: 90s, 30m, 12h (default 24h; 1h with --memory)',
    ),
    minRate: value(
      '--min-rate <bytes>',
      'Disconnect clients that send or take fewer bytes per second, over a minute (default 256; 0: none)',
    ),
    ...operatingOptions,
    json: flag('--json', 'Print the address as JSON, and the log on stderr as one JSON document per line'),
  },
  examples: [
    { text: 'A registry for the length of a test', command: 'serve --memory --addr 127.0.0.1:0' },
    {
      text: 'A read-only registry for other machines',
      command: 'serve --root images --read-only --addr 0.0.0.0:5000',
    },
    { text: 'A registry for users with a password', command: 'serve --root images --auth htpasswd=users' },
    {
      text: 'The same for other machines, over TLS',
      command: 'serve --root images --auth htpasswd=users --addr 0.0.0.0:443 --tls-cert cert.pem --tls-key key.pem',
    },
    {
      text: 'A registry whose users have the rights in a file',
      command: 'serve --root images --issue-tokens access.yaml',
    },
    { text: 'The pulled images, as a mirror of Docker Hub', command: 'serve --store --mirror-of docker.io' },
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
    const drain = readDrain(options.drain);
    const operating = readOperating(options);
    const log = await openAccessLog(terminal, { format: options.accessLog, verbose, json });
    const gcIntervalMs = readInterval(options.gcInterval, options);
    const metrics = options.metrics === undefined ? undefined : await openMetrics(options.metrics, options.allowHost);
    let endWatch: (() => void) | undefined;
    let endCollecting: (() => Promise<void>) | undefined;
    let server: RunningServer | undefined;
    // If even the first line cannot be written, nobody learns of the server, so it must not keep running.
    try {
      const opening = context.openServed({ ...options, observeStorage: metrics?.storage });
      // A storage that does not answer must not keep it from stopping.
      const served = await unlessAborted(opening, signal);
      const { serve: listen } = await import('../server/server.ts');
      const { host, port } = asked;
      server = await listen({
        registry: served.registry,
        host,
        port,
        allowedHosts: options.allowHost,
        writes: !served.readOnly,
        ...operating,
        tls: served.tls?.current,
        isProxy: served.isProxy,
        redirects: served.redirects,
        authorize: served.authorize,
        issuer: served.issuer,
        sessionIdleMs,
        minBytesPerSecond,
        log,
        observe: metrics?.requests,
      });
      const { address, url, loopback, renewTls } = server;
      endWatch = served.tls?.watch(renewTls);
      endCollecting = collectEach(gcIntervalMs, served.collect, { terminal, json, metrics: metrics?.collections });
      if (json) {
        const { what: serving, readOnly } = served;
        await terminal.out(`${formatJson({ serving, address, url, readOnly, metrics: metrics?.url })}\n`);
      } else {
        await terminal.out(`Serving ${served.what} on ${served.tls ? 'https' : 'http'}://${address}\n`);
        const heard = { bound: address, here: new URL(url).host, loopback, asked };
        for (const line of [...startLines(served, heard), ...served.notes]) terminal.note(line);
        const risk = loopback ? undefined : riskOf(served);
        if (risk !== undefined) terminal.warn(risk);
        if (metrics !== undefined) terminal.note(`metrics are at ${metrics.url}`);
      }
      await aborted(signal);
      if (!json) terminal.note('stopping, after the requests that are under way');
    } finally {
      endWatch?.();
      const collected = endCollecting?.();
      const { cut } = (await server?.stop(drain)) ?? { cut: 0 };
      const limit = `longer than --drain ${options.drain ?? '30s'}`;
      if (cut > 0) terminal.warn(`${counted(cut, 'request was', 'requests were')} cut after taking ${limit}`);
      await collected;
      await metrics?.stop();
    }
  },
});

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
