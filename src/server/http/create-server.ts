import { createServer, type Server, type ServerOptions } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
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
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ERR_SSL_HTTP_REQUEST') answerPlain(socket);
  });
  return { server, renewTls: (renewed) => server.setSecureContext(contextOf(renewed)) };
}

const wantsTls = 'Client sent an HTTP request to an HTTPS server.\n';

/** Answers plain http in plain http, in the words of Go's servers, which clients know. The socket below has no public name. */
function answerPlain(socket: TLSSocket): void {
  const { _parent: below } = socket as { readonly _parent?: unknown };
  if (!(below instanceof Socket) || below.destroyed) return;
  below.on('error', () => {});
  below.end(`HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${wantsTls}`);
}

function contextOf({ cert, key, clientCa }: ServedTls) {
  return { cert, key, minVersion: 'TLSv1.2', ...(clientCa && { ca: [...clientCa], ...partialChain }) } as const;
}

/** Accepts an intermediate certificate as the clients' authority. Node 20.17 and older require its root as well. */
const partialChain = { allowPartialTrustChain: true };
