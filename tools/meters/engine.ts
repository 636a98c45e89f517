// One power cycle of a meter: an XS engine with the meter's program in it and the device around it. Events are delivered one at
// a time and in order; the first thing that goes wrong ends the cycle and is reported once.

import { type Event, encodeMessage, events } from "../../hosts/xsnap/bridge.js";
import { reasonOf } from "../errors.js";
import { createDevice, type DeviceOptions } from "./device.js";
import { startWorker } from "./worker.js";

export interface EngineOptions extends Omit<DeviceOptions, "deliver"> {
  readonly name: string;
  /** the script that the engine runs */
  readonly program: string;
  /** The cycle ended by itself: the text of the exception with its stack, or what ended the process. Said at most once. */
  onFault(reason: string): void;
}

export interface Engine {
  readonly pid: number | undefined;
  /** Resolves when the program's modules have run; rejects where they do not. */
  readonly started: Promise<void>;
  /** Somebody types at the console. */
  type(bytes: Uint8Array): void;
  closePorts(): void;
  /** Resolves when every event so far has been handled, or the cycle has ended. */
  idle(): Promise<void>;
  /** Ends the cycle as a power cut does. */
  powerOff(): void;
}

/** Starts the engine and runs its program. */
export function powerOn(options: EngineOptions): Engine {
  let on = true;
  const device = createDevice({ ...options, deliver });
  const worker = startWorker({
    name: options.name,
    onCall: device.answer,
    onPrint: (line) => options.onLog("warn", line),
    onExit: fault,
  });
  const started = worker.evaluate(options.program);
  // What is behind the last link of this chain is bounded by what feeds it: the device holds back bytes, messages and publishes
  // that the agent has not taken, and a timer fires once.
  let work: Promise<void> = started;
  work.catch((thrown) => fault(reasonOf(thrown)));

  function deliver(event: Event, taken?: () => void): void {
    if (!on) return;
    const message = encodeMessage(events, event);
    work = work.then(async () => {
      if (!on) return;
      await worker.deliver(message);
      taken?.();
    });
    work.catch((thrown) => fault(reasonOf(thrown)));
  }

  function powerOff(): void {
    on = false;
    device.powerOff();
    worker.kill();
  }

  function fault(reason: string): void {
    if (!on) return;
    powerOff();
    options.onFault(reason);
  }

  return {
    pid: worker.pid,
    started,
    type: device.type,
    closePorts: device.closePorts,
    idle: () => work.catch(() => {}),
    powerOff,
  };
}
