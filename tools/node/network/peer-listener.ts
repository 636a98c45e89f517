// The listening half of the links between nodes: mutual TLS 1.3 (RFC 8446), a bounded number of strangers at the door. When
// it is full the one that has waited longest makes room, so that half-open connections cannot keep a peer out.

import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { GridsealError, reasonOf } from "../../errors.js";
import { listenOn } from "./listen.js";

export interface TlsMaterial {
  /** PEM: the network's authority, this node's certificate and its key */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Both ends of every link: nothing but TLS 1.3, and no connection without a certificate of the network's authority. */
export function tlsOptions(tls: TlsMaterial) {
  return { ...tls, minVersion: "TLSv1.3", maxVersion: "TLSv1.3", rejectUnauthorized: true } as const;
}

/** `accept`: the system gave no connection, for want of file descriptors for instance. */
export type ListenerRefusal = "tls" | "crowded" | "accept";

export interface ListenerOptions {
  readonly host: string;
  /** 0 for any free port */
  readonly port: number;
  readonly tls: TlsMaterial;
  readonly handshake_timeout_ms: number;
  /** connections that have not been admitted yet */
  readonly strangers_max: number;
}

export interface ListenerEvents {
  /** The handshake is complete and the certificate is the network's. */
  onSecure(socket: TLSSocket): void;
  onRefused(reason: ListenerRefusal, detail: string): void;
}

export interface Listener {
  /** Resolves to the port; rejects with PORT_UNAVAILABLE. */
  start(): Promise<number>;
  /** The peer has proved who it is and is no stranger any more. */
  admit(socket: TLSSocket): void;
  /** Ends strangers and stops listening; admitted sockets are their owner's to end. */
  close(): Promise<void>;
}

export function createListener(options: ListenerOptions, events: ListenerEvents): Listener {
  const strangers = new Map<string, Socket>();
  const server = createTlsServer(options);

  server.on("connection", (socket: Socket) => {
    const place = placeOf(socket);
    strangers.set(place, socket);
    socket.once("close", () => {
      if (strangers.get(place) === socket) strangers.delete(place);
    });
    if (strangers.size <= options.strangers_max) return;
    for (const [oldestPlace, oldest] of strangers) {
      strangers.delete(oldestPlace);
      oldest.destroy();
      events.onRefused("crowded", `${oldestPlace} made room for ${place}`);
      break;
    }
  });
  server.on("secureConnection", (socket) => events.onSecure(socket));
  server.on("tlsClientError", (error, socket) => {
    events.onRefused("tls", `${placeOf(socket)}: ${reasonOf(error)}`);
    socket.destroy(); // a handshake that merely took too long is left open otherwise
  });

  return {
    async start() {
      const port = await listenOn(server, options, "peers");
      server.on("error", (error) => events.onRefused("accept", reasonOf(error)));
      return port;
    },
    admit: (socket) => void strangers.delete(placeOf(socket)),
    close() {
      for (const socket of strangers.values()) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function createTlsServer({ tls, handshake_timeout_ms }: ListenerOptions): Server {
  try {
    return createServer({ ...tlsOptions(tls), requestCert: true, handshakeTimeout: handshake_timeout_ms });
  } catch (cause) {
    const message = `this node's TLS certificate, its key or the network's authority is unusable: ${reasonOf(cause)}`;
    throw new GridsealError("KEY_INVALID", message, { cause });
  }
}

function placeOf(socket: Socket): string {
  return `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? "?"}`;
}
