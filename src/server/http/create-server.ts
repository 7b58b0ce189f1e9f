import { createServer, type Server, type ServerOptions } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { OciError } from '../../model/errors.ts';
import type { ServedTls } from '../options.ts';

interface CreatedServer {
  readonly server: Server | TlsServer;
  /** As `renewTls` of a running server. */
  readonly renewTls: (tls: ServedTls) => void;
}

/** Makes a server of plain http, or of https where it has a certificate. */
export async function newServer(options: ServerOptions, tls: ServedTls | undefined): Promise<CreatedServer> {
  if (tls === undefined) {
    const renewTls = (): never => {
      throw new OciError('USAGE', 'the server speaks plain http');
    };
    return { server: createServer(options), renewTls };
  }
  const https = await import('node:https');
  const needsClients = tls.clientCa !== undefined;
  const server = https.createServer({
    ...options,
    ...contextOf(tls),
    requestCert: needsClients,
    rejectUnauthorized: needsClients,
    handshakeTimeout: options.headersTimeout,
  });
  return { server, renewTls: (renewed) => server.setSecureContext(contextOf(renewed)) };
}

function contextOf({ cert, key, clientCa }: ServedTls) {
  return { cert, key, minVersion: 'TLSv1.2', ...(clientCa && { ca: [...clientCa], ...partialChain }) } as const;
}

/** An intermediate that is named as the authority of clients is one; Node 20.17 and older want its root, too. */
const partialChain = { allowPartialTrustChain: true };
