// Where a meter's bytes come from: a serial port, a TCP gateway, a capture file or an emulated household. A port that fails is
// opened again, with growing delays, until it is closed.

import { connect } from "node:net";
import { GridsealError, reasonOf } from "../errors.js";
import { readFrames } from "./capture.js";
import { pushedReadout, readoutLines } from "./d0-readout.js";
import { hdlcFrames, mbusFrames } from "./dlms-frames.js";
import { notification, selfDescribing } from "./dlms-values.js";
import { createHousehold, type HouseholdState } from "./household.js";
import { type P1Version, p1Telegram } from "./p1-telegram.js";
import type { EmulatedProtocol, MeterPort } from "./port-configuration.js";
import { type ConnectionEvents, type OpenedPort, openSerial } from "./serial.js";
import { smlTelegram } from "./sml-file.js";

const retry_ms_min = 500;
const retry_ms_max = 30_000;

/**
 * Opens a port. `onBytes` gets the bytes as they arrive; `onError` a METER_PORT_FAILED or FILE_UNREADABLE for every failure,
 * after which serial ports and TCP are tried again.
 */
export function openPort(
  port: MeterPort,
  onBytes: (bytes: Uint8Array) => void,
  onError: (error: GridsealError) => void,
): OpenedPort {
  switch (port.kind) {
    case "serial":
      return keepOpen((events) => openSerial(port.path, port.baud, port.parity, onBytes, events), onError);
    case "tcp":
      return keepOpen((events) => openTcp(port.host, port.port, onBytes, events), onError);
    case "file":
      return openFile(port.path, port.interval_ms, onBytes, onError);
    case "emulator":
      return openEmulator(port, onBytes);
  }
}

/** Opens again after `onClosed`, at once doubling the delay up to half a minute; a connection that stood resets it. */
function keepOpen(open: (events: ConnectionEvents) => OpenedPort, onError: (error: GridsealError) => void): OpenedPort {
  let connection: OpenedPort | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let retry_ms = retry_ms_min;
  const attempt = (): void => {
    let ended = false;
    connection = open({
      onOpened: () => {
        retry_ms = retry_ms_min;
      },
      onClosed: (reason) => {
        if (ended || closed) return;
        ended = true;
        timer = setTimeout(attempt, retry_ms);
        retry_ms = Math.min(retry_ms * 2, retry_ms_max);
        onError(new GridsealError("METER_PORT_FAILED", reason));
      },
    });
  };
  attempt();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      connection?.close();
    },
  };
}

function openTcp(
  host: string,
  port: number,
  onBytes: (bytes: Uint8Array) => void,
  events: ConnectionEvents,
): OpenedPort {
  const socket = connect({ host, port });
  let reason = "it closed the connection";
  socket.setKeepAlive(true, 10_000);
  socket.on("connect", events.onOpened);
  socket.on("data", onBytes);
  socket.on("error", (error) => {
    reason = error.message;
  });
  socket.on("close", () => events.onClosed(`meter at ${host}:${port}: ${reason}`));
  return { close: () => socket.destroy() };
}

/** Its telegrams in turn, from the first again after the last. A file that cannot be read stays so: it is not tried again. */
function openFile(
  path: string,
  interval_ms: number,
  onBytes: (bytes: Uint8Array) => void,
  onError: (error: GridsealError) => void,
): OpenedPort {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const replay = (frames: readonly Uint8Array[]): void => {
    let next = 0;
    if (closed) return;
    timer = setInterval(() => onBytes(frames[next++ % frames.length]!), interval_ms);
  };
  readFrames(path).then(replay, (thrown) => {
    if (!closed) {
      onError(thrown instanceof GridsealError ? thrown : new GridsealError("METER_PORT_FAILED", reasonOf(thrown)));
    }
  });
  return {
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}

/** A household in the present: its clock is this machine's. */
function openEmulator(
  { seed, interval_ms, version = "5.0", protocol = "p1" }: Extract<MeterPort, { kind: "emulator" }>,
  onBytes: (bytes: Uint8Array) => void,
): OpenedPort {
  let time_s = Math.floor(Date.now() / 1000);
  const household = createHousehold({ seed, start_s: time_s });
  const timer = setInterval(() => {
    // A clock that was set back stands still: energy does not flow backwards.
    time_s = Math.max(time_s, Math.floor(Date.now() / 1000));
    onBytes(encoders[protocol](household.step(time_s), version));
  }, interval_ms);
  return { close: () => clearInterval(timer) };
}

/** What a state is as one message of each protocol. */
const encoders: Readonly<Record<EmulatedProtocol, (state: HouseholdState, version: P1Version) => Uint8Array>> = {
  p1: p1Telegram,
  sml: smlTelegram,
  hdlc: (state) => Uint8Array.from(Buffer.concat(hdlcFrames(notification(selfDescribing(state))))),
  mbus: (state) => Uint8Array.from(Buffer.concat(mbusFrames(notification(selfDescribing(state))))),
  d0: (state) => pushedReadout(readoutLines(state)),
};
