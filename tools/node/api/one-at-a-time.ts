// One answer at a time on a connection. Node makes the answers to requests that came together, pipelined, all at once, and keeps in
// memory what cannot be sent yet; here the next request is looked at when the answer before it has gone.

import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Requests that may wait behind the one that is answered. */
export const WAITING_MAX = 8;

export interface ConnectionWatch {
  /** A request is answered from now on. */
  onAsked(socket: Socket): void;
  /** No request is there any more that is not answered. */
  onAnswered(socket: Socket): void;
  /** More requests came than may wait; the connection is closed. */
  onTooMany(socket: Socket): void;
}

type Exchange = readonly [IncomingMessage, ServerResponse];

export function oneAtATime(listener: RequestListener, watch: ConnectionWatch): RequestListener {
  /** what waits on each connection that has a request being answered */
  const waiting = new WeakMap<Socket, Exchange[]>();

  const begin = (exchange: Exchange, socket: Socket, behind: Exchange[]): void => {
    const [request, response] = exchange;
    response.once("close", () => {
      const next = behind.shift();
      if (next !== undefined && socket.writable) return begin(next, socket, behind);
      waiting.delete(socket);
      watch.onAnswered(socket);
    });
    listener(request, response);
  };

  return (request, response) => {
    const { socket } = request;
    const behind = waiting.get(socket);
    if (behind === undefined) {
      const none: Exchange[] = [];
      waiting.set(socket, none);
      watch.onAsked(socket);
      return begin([request, response], socket, none);
    }
    if (behind.length < WAITING_MAX) {
      behind.push([request, response]);
      return;
    }
    behind.length = 0;
    if (socket.destroyed) return; // what came in the same packet as the one that was too many
    watch.onTooMany(socket);
    socket.destroy();
  };
}
