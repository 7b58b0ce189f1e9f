import { createServer, type Server, type ServerOptions } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { OciError } from '../../model/errors.ts';
import type { ServedTls } from '../options.ts';

interface CreatedServer {
  readonly server: Server | TlsServer;
  /** See `renewTls` of `RunningServer`. */
  readonly renewTls: (tls: ServedTls) => void;
}

/** Creates an HTTP server, or an HTTPS server if there is a certificate. */
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

/** Accepts an intermediate certificate as the clients' authority. Node 20.17 and older require its root as well. */
const partialChain = { allowPartialTrustChain: true };
