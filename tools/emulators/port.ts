// Any port that a configuration or a command line names: a device's, a capture's, or an emulated household's.

import type { Line } from "../../src/meter/line.js";
import type { GridsealError } from "../errors.js";
import { openDevicePort } from "../meters/ports/port.js";
import type { MeterPort } from "../meters/ports/port-configuration.js";
import type { OpenedPort } from "../meters/ports/serial.js";
import { openEmulatedMeter } from "./emulated-meter.js";

/** Opens a port, as `openDevicePort` does; an emulated household speaks by itself and never fails. */
export function openPort(
  port: MeterPort,
  onBytes: (bytes: Uint8Array) => void,
  onError: (error: GridsealError) => void,
  line?: Line,
): OpenedPort {
  return port.kind === "emulator"
    ? openEmulatedMeter(port, line, onBytes)
    : openDevicePort(port, onBytes, onError, line);
}
