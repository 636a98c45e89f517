// The configuration that a new meter gets: an agent's document (src/agent/configuration.ts) with a
// schedule for each permitted service. It has no port until somebody names one, or an emulated P1
// meter where that is asked for: what is made up is signed as if it had been read.

import {
  type Configuration,
  isComplaint,
  readConfiguration,
  type ScheduleEntry,
} from "../../src/agent/configuration.js";
import type { MeterConfiguration } from "../../src/agent/meter-configuration.js";
import { toHex } from "../../src/wire/bytes.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { GridsealError } from "../errors.js";

export interface MeterTemplate {
  readonly services: readonly number[];
  /** mqtt:// URLs, the first one preferred */
  readonly brokers: readonly string[];
  /** measuring point */
  readonly number: number;
  /** how the meter is read; not before somebody names a port where absent */
  readonly meter?: MeterConfiguration;
}

/** A P1 meter in a made-up household of this number. */
export function emulatedMeter(number: number): MeterConfiguration {
  return { protocol: "p1", port: { kind: "emulator", seed: number, interval_ms: 1000 } };
}

/** Throws CONFIGURATION_INVALID where an agent would refuse the document. */
export function meterConfiguration(
  genesis: Genesis,
  genesisBytes: Uint8Array,
  id: string,
  template: MeterTemplate,
): Configuration {
  const document: Configuration = {
    version: 1,
    network: genesis.network,
    genesis: toHex(genesisBytes),
    id,
    brokers: template.brokers,
    meter: template.meter ?? { protocol: "auto", port: { kind: "none" } },
    schedule: template.services.map((service) => entryFor(service, template.number)),
  };
  const read = readConfiguration(JSON.stringify(document));
  if (isComplaint(read)) {
    throw new GridsealError("CONFIGURATION_INVALID", `meter ${id}: ${read.path} ${read.reason}`);
  }
  return document;
}

/**
 * Energy for trade and contracts, credit by consumption, power for dispatch, what solar feeds in.
 * Power tells who is at home and what runs there: it is confidential, each phase too, and leaves
 * the meter as disclosures.
 */
function entryFor(service: number, serviceId: number): ScheduleEntry {
  const common = { service, serviceId, aligned: true };
  const energy = ["1-0:1.8.n", "1-0:2.8.n"];
  switch (service) {
    case 1:
      return { ...common, every_s: 10, registers: energy };
    case 2:
      return { ...common, every_s: 30, registers: ["1-0:1.8.n"] };
    case 3: {
      const power = ["1-0:1.7.0", "1-0:2.7.0", "1-0:16.7.0"];
      const phases = ["1-0:31.7.0", "1-0:51.7.0", "1-0:71.7.0", "1-0:32.7.0", "1-0:52.7.0", "1-0:72.7.0"];
      const confidential = [
        { label: "power", registers: power },
        { label: "phases", registers: phases },
      ];
      return { ...common, every_s: 5, registers: [], confidential };
    }
    case 4: {
      const confidential = [{ label: "power", registers: ["1-0:2.7.0"] }];
      return { ...common, every_s: 15, registers: ["1-0:2.8.n"], confidential };
    }
    case 5:
      return { ...common, every_s: 30, registers: energy };
    default:
      return { ...common, every_s: 20, registers: ["1-0:1.8.n", "0-n:24.2.n"] };
  }
}
