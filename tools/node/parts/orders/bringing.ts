// Brings orders from a folder to the contracts chain, one after the other, until each is sealed: those that a network begins with. Of
// the members of that chain each does, so that one that is up is enough.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ORDER_WITH_SOURCE_BYTES_MAX } from "../../../../src/wire/contract-order.js";
import { readOrder } from "../../../../src/wire/order.js";
import { GridsealError, reasonOf } from "../../../errors.js";
import { readWhole } from "../../../files/made-once.js";
import type { OrderAnswer } from "./orders.js";

/** Orders that one folder holds. */
const BROUGHT_MAX = 64;

export interface BringingPorts {
  /** by their numbers; none is changed */
  readonly orders: ReadonlyMap<number, Uint8Array>;
  /** number of the last sealed order */
  lastOrder(): number;
  submit(bytes: Uint8Array): Promise<OrderAnswer>;
  /** An order is not taken, and why. */
  onRefused(number: number, reason: string): void;
}

export interface Bringing {
  /** whether one of the folder is still to be sealed */
  readonly isDone: boolean;
  /** Offers the order that is next, once: a node keeps what it has taken until it is sealed. */
  bring(): Promise<void>;
}

export function createBringing({ orders, lastOrder, submit, onRefused }: BringingPorts): Bringing {
  const last = Math.max(0, ...orders.keys());
  let taken = 0;
  let refused = 0;
  return {
    get isDone() {
      return lastOrder() >= last;
    },
    async bring() {
      const number = lastOrder() + 1;
      const bytes = orders.get(number);
      if (bytes === undefined || taken >= number) return;
      taken = number;
      const answer = await submit(bytes);
      if (answer.type === "taken") return;
      // What is passed on may be lost, and what waits here may make room: it is offered again.
      taken = number - 1;
      if (answer.type === "passed-on" || refused === number) return;
      refused = number;
      onRefused(number, answer.reason);
    },
  };
}

/** The orders in a folder by their numbers; none where there is no folder. Rejects with FILE_UNREADABLE or ORDER_REFUSED. */
export async function readBrought(folder: string | undefined): Promise<ReadonlyMap<number, Uint8Array>> {
  const names = folder === undefined ? [] : await readdir(folder).catch(() => []);
  const orders = new Map<number, Uint8Array>();
  for (const name of names.filter((each) => /^[0-9]+[.]cose$/.test(each)).slice(0, BROUGHT_MAX)) {
    const path = join(folder!, name);
    const bytes = await readWhole(path, ORDER_WITH_SOURCE_BYTES_MAX);
    try {
      orders.set(readOrder(bytes).number, bytes);
    } catch (cause) {
      throw new GridsealError("ORDER_REFUSED", `${path} is no order: ${reasonOf(cause)}`, { cause });
    }
  }
  return orders;
}
