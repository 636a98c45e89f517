// HTTP: requests for everything the API has, with changed paths, queries, methods, headers and bytes, pipelined on one connection, and
// orders and records that come with it, changed; beside it connections that do not read what they ask for, that send slowly, and that pipeline without end.

import { Buffer } from "node:buffer";
import { BLOCKS_PER_ANSWER_MAX, blocks } from "../../routes/blocks.js";
import { submitOrder } from "../../routes/orders.js";
import { submitRecord } from "../../routes/records.js";
import { shapes } from "../../routes/routes.js";
import { pathOf } from "../../routes/shape.js";
import type { Random } from "../rig/random.js";
import { mutateBytes, mutateCbor } from "./mutate.js";
import { type Address, openRaw, type RawConnection } from "./socket.js";
import type { Surface } from "./surface.js";

/** Requests before their answers are waited for: as many as a node lets wait, and one more now and then. */
const WINDOW = 8;
/** What a connection that does not read asks for at once, and one that sends slowly writes at a time. */
const UNREAD = 400;
const SLOW_BYTES = 3;
/** Such connections at one time; the oldest is given up for the next. */
const IDLE_MAX = 100;
const PATIENCE_MS = 500;
/** Of the requests so many bring an order or a record. */
const SUBMISSIONS = 0.1;
const methods = ["GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"];
const numbers = [
  "0",
  "1",
  "2",
  "5",
  "999",
  "-1",
  "1e3",
  "0x1",
  "9007199254740993",
  "%00",
  "..",
  "NaN",
  "",
  "1:0",
  "1:2,1:3",
];
const statusLine = Buffer.from("HTTP/1.1 ");

export interface HttpTarget {
  readonly address: Address;
  /** ids */
  readonly meters: readonly string[];
  /** orders, with sources where they come with one, and records: what requests with a body are made of */
  readonly orders: readonly Uint8Array[];
  readonly records: readonly Uint8Array[];
}

export function createHttpSurface(target: HttpTarget, name: string): Surface {
  const { address, meters } = target;
  let connection: RawConnection | undefined;
  let answers = 0;
  let sent = 0;
  let ended = 0;
  const idles: RawConnection[] = [];

  function request(random: Random): Buffer {
    if (random.chance(SUBMISSIONS)) return submission(random);
    const path = random.chance(0.05) ? `/${"a/".repeat(random.below(200))}` : pathAt(random, meters);
    const body = random.chance(0.1)
      ? random.bytes(random.below(random.chance(0.1) ? 40_000 : 2_000))
      : new Uint8Array(0);
    const head = [
      `${random.pick(methods)} ${path} HTTP/1.1`,
      random.chance(0.95) ? "host: localhost" : "host: elsewhere.example",
      ...(body.length > 0 ? [`content-length: ${body.length}`] : []),
      ...(random.chance(0.1) ? ["content-type: application/cose"] : []),
      ...(random.chance(0.1) ? [`x-${random.below(9)}: ${"y".repeat(random.below(20_000))}`] : []),
    ];
    const bytes = Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]);
    return random.chance(0.3) ? Buffer.from(mutateBytes(bytes, bytes, random)) : bytes;
  }

  /** An order or a record as somebody would submit it, or changed. */
  function submission(random: Random): Buffer {
    const isOrder = random.chance(0.5);
    const { method, path, body } = isOrder ? submitOrder : submitRecord;
    const bytes = random.pick(isOrder ? target.orders : target.records);
    const kind = random.fraction();
    const changed = kind < 0.2 ? bytes : kind < 0.6 ? mutateCbor(bytes, random) : mutateBytes(bytes, bytes, random);
    const content = changed ?? bytes;
    const head = `${method} ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${body.type}\r\n`;
    return Buffer.concat([Buffer.from(`${head}content-length: ${content.length}\r\n\r\n`, "latin1"), content]);
  }

  /** Connections that take nothing, or send a little now and then, kept open beside the others. */
  async function openIdle(random: Random): Promise<void> {
    const idle = await openRaw(address, () => undefined, { reads: false });
    if (!idle.isOpen) return;
    const long = pathOf(blocks, { service: 1 }, { limit: BLOCKS_PER_ANSWER_MAX });
    const ask = Buffer.from(`GET ${long} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    const { method, path, body } = submitOrder;
    const order = Buffer.from(
      `${method} ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${body.type}\r\ncontent-length: 30000\r\n\r\n`,
    );
    const count = random.pick([0, 1, WINDOW, UNREAD]);
    idle.write(
      count > 0
        ? Buffer.concat(Array.from({ length: count }, () => ask))
        : random.pick([ask, order]).subarray(0, random.below(140)),
    );
    sent += 1;
    idles.push(idle);
    if (idles.length > IDLE_MAX) idles.shift()?.close();
    const slow = random.pick(idles);
    if (slow.isOpen) slow.write(random.pick([ask, order]).subarray(0, SLOW_BYTES));
  }

  return {
    name,
    get sent() {
      return sent;
    },
    get ended() {
      return ended;
    },
    async sendSome(random) {
      if (random.chance(0.3)) await openIdle(random);
      if (!connection?.isOpen) {
        if (connection !== undefined) ended += 1;
        connection = await openRaw(address, (chunk) => {
          for (let at = chunk.indexOf(statusLine); at >= 0; at = chunk.indexOf(statusLine, at + 1)) answers += 1;
        });
        if (!connection.isOpen) return;
      }
      answers = 0;
      connection.write(
        Buffer.concat(Array.from({ length: WINDOW + (random.chance(0.05) ? 2 : 0) }, () => request(random))),
      );
      sent += WINDOW;
      await connection.wait(() => answers >= WINDOW, PATIENCE_MS);
      // Fewer answers than requests: one waits for the rest of a body, or is a stream of events.
      if (answers < WINDOW) connection.close();
    },
    async close() {
      connection?.close();
      for (const idle of idles) idle.close();
    },
  };
}

/** A path of a route with values that fit and that do not; a stream takes the place of what would come behind it, so there are few. */
function pathAt(random: Random, meters: readonly string[]): string {
  const shape = random.pick(shapes);
  if (shape.limits === "stream" && !random.chance(0.2)) return pathAt(random, meters);
  const value = (name: string) => random.pick(name === "meter" ? meters : numbers);
  const path = shape.path.replace(/:(\w+)/g, (_, name: string) => value(name));
  const names = Object.keys(shape.query.properties).filter(() => random.chance(0.5));
  return names.length === 0 ? path : `${path}?${names.map((name) => `${name}=${value(name)}`).join("&")}`;
}
