// What the routes have in common: refusals in one form, and decimal numbers of a path.

import type { FastifyReply, FastifyRequest } from "fastify";
import { addressGroup } from "../address-limits.js";
import type { Answers, Items } from "./answers.js";

/** Seconds after which whoever was refused for want of room may ask again. */
const AGAIN_S = 1;

/** Whose limits count for a request. */
export function groupOf(request: FastifyRequest): string {
  return addressGroup(request.raw.socket.remoteAddress);
}

export function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ code, message });
}

/** Of a node that has too much to do; the connection is given up too. */
export function refuseBusy(reply: FastifyReply, message: string): FastifyReply {
  return refuse(reply.header("retry-after", AGAIN_S).header("connection", "close"), 503, "busy", message);
}

/** A decimal number within a bound of the wire; undefined where the text is none. */
export function number(text: string, max: number): number | undefined {
  return /^[0-9]{1,15}$/.test(text) && Number(text) <= max ? Number(text) : undefined;
}

/** Sends the items one behind the other, in pieces. */
export async function sendItems(answers: Answers, reply: FastifyReply, items: Items): Promise<FastifyReply> {
  const isSent = await answers.send(reply, groupOf(reply.request), { type: "application/cbor-seq" }, items);
  return isSent ? reply : refuseLong(reply);
}

/** Sends one block or the like, whose length is told before. */
export async function sendWhole(answers: Answers, reply: FastifyReply, bytes: Uint8Array): Promise<FastifyReply> {
  const head = { type: "application/cbor", length: bytes.length };
  const isSent = await answers.send(reply, groupOf(reply.request), head, [bytes].values());
  return isSent ? reply : refuseLong(reply);
}

function refuseLong(reply: FastifyReply): FastifyReply {
  return refuseBusy(reply, "Too many long answers are on their way: ask again in a moment, or another node.");
}
