// What is refused before a route is looked at: a foreign Host on a machine's own API, who asks too much, and, where the node's
// places or its memory for answers are taken, everything but the question after its health.

import { isIP, type Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { LimitsClass } from "../../routes/shape.js";
import { addressGroup, createAddressBuckets, LOOPBACK } from "../limits/addresses.js";
import type { ByteBudget } from "./byte-budget.js";
import type { Places } from "./places.js";
import { groupOf, refuse } from "./refusing.js";

/** What a request costs its address, of `addressRequests_s`; what `always` is answered counts for itself. */
const tokens: Readonly<Record<LimitsClass, number>> = { plain: 1, costly: 4, order: 10, always: 0, stream: 1 };
/** A bucket holds what comes back in so long. */
const BURST_S = 5;
/** Everything on the machine comes from one address. */
export const LOOPBACK_SHARE = 4;
/** All addresses together have what so many may use. */
const ADDRESSES_SHARE = 10;
const ADDRESSES_MAX = 10_000;
const EVERYBODY = "everybody";
/** Where no answer of so many bytes has room, none is begun. */
const SMALL_BYTES = 65_536;

export interface GateTerms {
  /** What it answers to beside the machine's own names; undefined: to any Host. */
  readonly hosts: Hosts | undefined;
}

export interface Hosts {
  readonly names: readonly string[];
  /** Any address as well: what a page can give a name to has that name here. */
  readonly addresses: boolean;
}

export interface GatePorts {
  readonly places: Places<Socket>;
  readonly budget: ByteBudget;
  readonly rates: Rates;
  onRefused(reason: "host" | "rate" | "busy"): void;
}

export interface Rates {
  /** Milliseconds until this address may ask again, 0 where it may now. */
  wait_ms(group: string): number;
  /** Whether all addresses together have asked too much. */
  readonly isSpent: boolean;
  charge(group: string, tokens: number): void;
}

export function createRates(addressRequests_s: number, monotonic_ms: () => number): Rates {
  const terms = (group: string) => {
    const share = group === EVERYBODY ? ADDRESSES_SHARE : group === LOOPBACK ? LOOPBACK_SHARE : 1;
    return { tokens_s: share * addressRequests_s, tokens_max: BURST_S * share * addressRequests_s };
  };
  const buckets = createAddressBuckets(terms, ADDRESSES_MAX);
  const everybody = createAddressBuckets(terms, 1);
  return {
    wait_ms: (group) => buckets.wait_ms(group, monotonic_ms()),
    get isSpent() {
      return everybody.wait_ms(EVERYBODY, monotonic_ms()) > 0;
    },
    charge(group, tokens) {
      buckets.charge(group, tokens, monotonic_ms());
      everybody.charge(EVERYBODY, tokens, monotonic_ms());
    },
  };
}

export function addGate(server: FastifyInstance, terms: GateTerms, ports: GatePorts): void {
  const { places, budget, rates, onRefused } = ports;
  const isBusy = (request: FastifyRequest, group: string) =>
    places.isReserve(request.raw.socket) || rates.isSpent || !budget.hasRoom(group, SMALL_BYTES);
  server.addHook("onRequest", async (request, reply) => {
    const group = groupOf(request);
    if (places.isReserve(request.raw.socket)) reply.header("connection", "close");
    if (!answersTo(terms.hosts, request.headers.host)) {
      onRefused("host");
      return refuseHost(reply);
    }
    const limits = request.routeOptions.config?.limits ?? "plain";
    if (limits === "always") return;
    const wait_ms = rates.wait_ms(group);
    if (wait_ms > 0) {
      onRefused("rate");
      return refuseRate(reply, wait_ms);
    }
    if (isBusy(request, group)) {
      onRefused("busy");
      return refuse(reply, "busy", "This node is busy.");
    }
    rates.charge(group, tokens[limits]);
  });
}

/** Who was refused has to connect again, which costs it more than it costs here. */
function refuseRate(reply: FastifyReply, wait_ms: number): FastifyReply {
  const wait_s = Math.ceil(wait_ms / 1000);
  reply.header("retry-after", wait_s).header("connection", "close");
  return refuse(reply, "rate-limited", `Too many requests from your address: ask again in ${wait_s} s.`);
}

/** 421 of RFC 9110, section 15.5.20. */
function refuseHost(reply: FastifyReply): FastifyReply {
  reply.header("connection", "close");
  return refuse(reply, "foreign-host", "This API is the machine's own and answers to no such Host.");
}

/** A page of another site that a browser on this machine shows has that site's name here, whatever address the name is given. */
function answersTo(hosts: Hosts | undefined, header: string | undefined): boolean {
  if (hosts === undefined || header === undefined) return true; // without one it is HTTP/1.0, which no browser speaks
  const name = header.toLowerCase().replace(/:\d*$/, "");
  const address = name.startsWith("[") && name.endsWith("]") ? name.slice(1, -1) : name;
  const isOwn = name === "localhost" || addressGroup(address) === LOOPBACK || hosts.names.includes(name);
  return isOwn || (hosts.addresses && isIP(address) !== 0);
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** `plain` where absent */
    readonly limits?: LimitsClass;
  }
}
