// A meter that goes about its work while the nodes are attacked: what it publishes must be sealed and answered all the same.

import { setTimeout as pause } from "node:timers/promises";
import { openLoadConnection } from "../rig/load-connection.js";
import { prepareMeter } from "../rig/prepared-meter.js";
import type { Address } from "./socket.js";

export interface HonestMeter {
  readonly published: number;
  readonly receipted: number;
  /** what went wrong: refusals, and the end of its session */
  readonly problems: readonly string[];
  publishNext(): void;
  /** Waits until every record has its receipt; false where that takes too long. */
  finish(patience_ms: number): Promise<boolean>;
  close(): void;
}

const PROBLEMS_MAX = 10;

export async function startHonestMeter(
  folder: string,
  network: string,
  service: number,
  records: number,
  address: Address,
): Promise<HonestMeter> {
  const prepared = prepareMeter({ folder, network, service, records, time_s: Math.floor(Date.now() / 1000) });
  const problems: string[] = [];
  const report = (text: string) => {
    if (problems.length < PROBLEMS_MAX) problems.push(text);
  };
  const connection = await openLoadConnection(prepared, address, {
    onReceipt() {},
    onRepeatedReceipt() {},
    onReceiptsRead() {},
    onRefused: (reason) => report(`a record was refused: ${reason}`),
    onFailed: (error) => report(error.message),
  });
  const isAnswered = () => connection.receipted === connection.published;
  return {
    problems,
    get published() {
      return connection.published;
    },
    get receipted() {
      return connection.receipted;
    },
    publishNext: () => void connection.publish(1),
    async finish(patience_ms) {
      const until_ms = performance.now() + patience_ms;
      while (!isAnswered() && performance.now() < until_ms) await pause(100);
      return isAnswered();
    },
    close: () => connection.close(),
  };
}
