import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { type ConnectorOptions, createConnector } from '../../transport/connector.ts';
import { printable } from '../../wire/errors.ts';

/** What a server presented in a TLS handshake. */
interface PresentedTls {
  readonly protocol: string;
  readonly subject: string;
  /** The names the certificate is for. */
  readonly names: readonly string[];
  readonly issuer: string;
  readonly validFrom: Date;
  readonly validTo: Date;
}

/**
 * Makes a TLS handshake and reads the server's certificate, even one that is not trusted: nothing is sent afterwards.
 *
 * @throws what the transport's connections throw.
 */
export async function probeTls(options: Omit<ConnectorOptions, 'own' | 'verify'>): Promise<PresentedTls> {
  const { protocol, hostname, host, port } = options.url;
  const connect = createConnector({ ...options, own: true, verify: false });
  const goal = { protocol, hostname: hostname.replace(/^\[|\]$/g, ''), host, port };
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    connect(goal, (error, connected) => (error ? reject(error) : resolve(connected as TLSSocket)));
  });
  // Later errors of this connection do not matter: the request that follows reports its own.
  socket.on('error', () => {});
  try {
    return describe(socket);
  } finally {
    socket.destroy();
  }
}

function describe(socket: TLSSocket): PresentedTls {
  const certificate: DetailedPeerCertificate = socket.getPeerCertificate(true);
  const { subject, issuer, subjectaltname, valid_from, valid_to } = certificate;
  return {
    protocol: (socket.getProtocol() ?? 'TLS').replace('TLSv', 'TLS '),
    subject: nameOf(subject),
    names: (subjectaltname ?? '')
      .split(', ')
      .flatMap((name) => (name === '' ? [] : [printable(name.replace(/^\w+(?: \w+)?:/, ''))])),
    issuer: nameOf(issuer),
    validFrom: new Date(valid_from),
    validTo: new Date(valid_to),
  };
}

function nameOf(name: DetailedPeerCertificate['subject'] | undefined): string {
  const { CN, O } = (name ?? {}) as { readonly CN?: string | string[]; readonly O?: string | string[] };
  return printable([CN ?? O ?? 'no name'].flat().join(', '));
}
