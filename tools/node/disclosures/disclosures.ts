// What records hide, on this node: as original node it encrypts, as custodian it keeps shares of the keys.

import type { ReadRecord } from "../../ledger/record-scan.js";
import { takeEnvelope } from "./custodian.js";
import { createCustodyDirectory } from "./custody-directory.js";
import { createDayKeys, type Sealing } from "./day-keys.js";
import { createDealing } from "./dealing.js";
import { createEnvelopeLimits } from "./envelope-limits.js";
import { createErasing, type Erasing } from "./erasing.js";
import { createGroups, type Groups } from "./groups/groups.js";
import { letGoUntil_s, sealedBetween, sealedClaims } from "./groups/sealed-readings.js";
import { createMissing, type MissingParts, type MissingPorts } from "./missing/missing.js";
import type { DisclosuresPorts } from "./ports.js";
import { createEnvelopesUnderWay } from "./under-way.js";

export interface Disclosures {
  readonly ports: DisclosuresPorts;
  /** Encrypts what the record hides, once a quorum keeps the shares of its key. */
  seal(record: ReadRecord): Promise<Sealing>;
  /** Frames of other nodes; each resolves to why it is dropped, undefined where it is taken. */
  onCustodyKey(from: string, payload: Uint8Array): Promise<string | undefined>;
  onEnvelope(from: string, chain: number, payload: Uint8Array): Promise<string | undefined>;
  onKept(from: string, id: Uint8Array): string | undefined;
  onDivision(from: string, chain: number, payload: Uint8Array): Promise<string | undefined>;
  /** Says again what was not answered, and forgets what its day is over for. */
  tick(): void;
  readonly erasing: Erasing;
  /** Sums over groups of meters. */
  readonly groups: Groups;
  /** What this node lacks, as it was away. */
  readonly missing: MissingParts;
  /** Ids of nodes that have stated a key which nothing can be sealed to: they are left out. */
  unusable(): readonly string[];
  /** Forgets all keys. */
  close(): void;
}

export interface DisclosuresTerms extends DisclosuresPorts {
  /** chains that run here */
  chains(): readonly number[];
  /** Resolves when other work has had its turn. */
  afterOthers(): Promise<void>;
  /** What must stop the node: a damaged store. */
  onFatal(error: unknown): void;
}

export function createDisclosures(ports: DisclosuresTerms): Disclosures {
  const directory = createCustodyDirectory(ports);
  const dayKeys = createDayKeys(ports, directory);
  const erasing = createErasing({ ...ports, forgetDays: dayKeys.forgetDays });
  const limits = createEnvelopeLimits(ports.now_ms);
  const onShare = (chain: number, origin: string) => missing.onShare(chain, origin);
  const underWay = createEnvelopesUnderWay();
  const dealing = createDealing(ports, directory, { underWay, onShare });
  const onFetched: MissingPorts["onFetched"] = (chain, meter, record) => {
    if (erasing.concerns(chain, meter)) erasing.record(chain, meter, record).catch(ports.onFatal);
  };
  const missing = createMissing({ ...ports, onFetched }, dealing);
  const groups = createGroups(
    {
      ...ports,
      sealedBetween: (span) => sealedBetween(ports.store, span),
      sealedClaims: (chain, meter, reading) => sealedClaims(ports.store, chain, meter, reading),
      letGoUntil_s: (chain) => letGoUntil_s(ports.store, chain),
      knowsMissing: (chain) => missing.of(chain)?.isKnown ?? false,
    },
    directory,
  );
  return {
    ports,
    seal: dayKeys.seal,
    onCustodyKey: async (from, payload) => directory.take(from, payload),
    onEnvelope: (from, chain, payload) => takeEnvelope(ports, { limits, underWay, onShare }, { from, chain, payload }),
    onKept: (from, id) => (dealing.onKept(from, id) === "noted" ? undefined : dayKeys.onKept(from, id)),
    onDivision: dealing.onDivision,
    tick() {
      directory.announce();
      directory.keep().catch(ports.onFatal);
      dayKeys.tick();
      dealing.tick();
    },
    unusable: directory.unusable,
    erasing,
    groups,
    missing,
    close() {
      groups.stop();
      missing.stop();
      erasing.stop();
      dayKeys.close();
    },
  };
}
