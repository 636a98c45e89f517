// A stream of server-sent events to one reader, piece by piece (HTML Living Standard, section 9.2).

import type { FastifyReply } from "fastify";

export interface EventStream {
  /** Sends a piece; calls back when it has gone to the system. */
  send(bytes: Uint8Array, onTaken: () => void): void;
  /** Calls back, at once where it is so already, when the reader is gone. */
  onClosed(callback: () => void): void;
  /** Ends the stream in order. */
  end(): void;
  /** Gives the reader up: ended in order, the system would keep what it does not take for minutes. */
  destroy(): void;
}

export function streamTo(reply: FastifyReply, type: string): EventStream {
  const { raw } = reply.hijack();
  raw.on("error", () => undefined); // its close follows
  raw.writeHead(200, { "content-type": type, "cache-control": "no-store" });
  return {
    send: (bytes, onTaken) => void raw.write(bytes, (error) => error ?? onTaken()),
    onClosed(callback) {
      if (raw.closed || raw.destroyed) callback();
      else raw.once("close", callback);
    },
    end: () => void raw.end(),
    destroy: () => void raw.socket?.resetAndDestroy(),
  };
}
