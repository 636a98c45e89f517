// How the API refuses, whatever is asked: one form, and the headers that go with it.

import type { FastifyReply, FastifyRequest } from "fastify";
import { type RefusalCode, refusalAnswer, refusals } from "../../routes/refusals.js";
import { addressGroup } from "../limits/addresses.js";

/** Seconds after which whoever is to ask again may. */
const AGAIN_S = 1;

/** Whose limits count for a request. */
export function groupOf(request: FastifyRequest): string {
  return addressGroup(request.raw.socket.remoteAddress);
}

/** `status` where it is not the code's own. */
export function refuse(
  reply: FastifyReply,
  code: RefusalCode,
  message: string,
  status: number = refusals[code].status,
): FastifyReply {
  if (code === "waiting") reply.header("retry-after", AGAIN_S);
  // Of a node that has too much to do; the connection is given up too.
  if (code === "busy") reply.header("retry-after", AGAIN_S).header("connection", "close");
  if (code === "unauthorized") reply.header("www-authenticate", "Bearer"); // RFC 6750, section 3
  return reply.code(status).send(refusalAnswer(code, message));
}
