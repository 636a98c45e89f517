// The dialling half of the links between nodes: one attempt over mutual TLS 1.3 (RFC 8446), held to the id in the peer's certificate.

import { isIP } from "node:net";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { reasonOf } from "../../errors.js";
import { type TlsMaterial, tlsOptions } from "./peer-listener.js";
import type { PeerAddress } from "./peer-network.js";

export interface DialEvents {
  /** The handshake is complete and the certificate is that of the node. */
  onSecure(socket: TLSSocket): void;
  /** TLS or the peer's certificate was at fault, not the network. */
  onRefused(detail: string): void;
  /** Nobody answered there. */
  onUnreachable?(detail: string): void;
  /** Said once, at the end of the connection, with whether it ever was secure. */
  onClosed(secured: boolean): void;
}

/** Dials a node once; no event comes before this returns. */
export function dial(
  { id, host, port }: PeerAddress,
  tls: TlsMaterial,
  timeout_ms: number,
  events: DialEvents,
): TLSSocket {
  const socket = connect({
    ...tlsOptions(tls),
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // The name that counts is the node's id, wherever it is reached.
    checkServerIdentity: (_host, certificate) =>
      commonName(certificate) === id ? undefined : new Error(`the certificate is not that of ${id}`),
  });
  const silence = Object.assign(new Error(`nothing came for ${timeout_ms / 1_000} s`), { syscall: "connect" });
  const timer = setTimeout(() => socket.destroy(silence), timeout_ms);
  let secured = false;
  socket.on("error", (error) => {
    // What the network did carries the system call's name; anything else is TLS itself or the peer's certificate.
    if (secured) return;
    const detail = `${id} at ${host}:${port}: ${reasonOf(error)}`;
    if ("syscall" in error) events.onUnreachable?.(detail);
    else events.onRefused(detail);
  });
  socket.once("secureConnect", () => {
    secured = true;
    clearTimeout(timer);
    events.onSecure(socket);
  });
  socket.once("close", () => {
    clearTimeout(timer);
    events.onClosed(secured);
  });
  return socket;
}

/** The subject's one common name, or undefined where it has none or several. */
export function commonName(certificate: PeerCertificate): string | undefined {
  const name: unknown = certificate.subject?.CN;
  return typeof name === "string" ? name : undefined;
}
