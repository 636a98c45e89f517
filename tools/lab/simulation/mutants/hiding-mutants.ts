// Rules about what readings hide taken away, one at a time.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { confided, deceived, forsaken } from "./ordeals.js";

const custodian = "tools/node/disclosures/custodian.ts";
const dayKeys = "tools/node/disclosures/day-keys.ts";
const missing = "tools/node/disclosures/missing/missing.ts";
const sealedAhead = "tools/node/chain/batches/sealed-ahead.ts";

export const hidingMutants: readonly Mutant[] = [
  {
    name: "acknowledges-without-ciphertext",
    lacks: "a temporary block is acknowledged with what its readings hide on disk",
    edits: [
      edit(
        "tools/node/chain/batches/exchange.ts",
        'if (missing === "unknown") return void ports.onDropped("batch-bare");',
        'if (missing === "unknown") return void done();',
      ),
    ],
    needs: confided,
  },
  {
    name: "keeps-no-share",
    lacks: "a custodian says that it keeps a share once that is on disk",
    edits: [edit(custodian, "      writer.put(envelopes, place, row);\n", "")],
    needs: confided,
  },
  {
    name: "encrypts-unshared",
    lacks: "nothing is encrypted before a quorum keeps the shares of its key",
    edits: [edit(dayKeys, "const isReady = await isKept(ports, made);", "const isReady = made.kept.size > 0;")],
    needs: confided,
  },
  {
    name: "encrypts-nothing",
    lacks: "what a reading hides is encrypted",
    edits: [
      edit(
        dayKeys,
        "const ciphertext = ports.ciphers.sealDisclosures(made.key, place, encodeDisclosures(disclosures));",
        "const ciphertext = { nonce: new Uint8Array(12), ciphertext: encodeDisclosures(disclosures) };",
      ),
    ],
    needs: confided,
  },
  {
    name: "opens-with-one-share",
    lacks: "f members cannot open what a reading hides",
    edits: [
      edit(
        "tools/node/disclosures/open-keys.ts",
        "const threshold = openingThreshold(known.length, faults(members.length));",
        "const threshold = openingThreshold(1, faults(members.length));",
      ),
      edit(custodian, "if (threshold === needed) return;", "if (threshold <= needed) return;"),
    ],
    needs: confided,
  },
  {
    name: "fetches-no-ciphertext",
    lacks: "a member that was away fetches what readings hide",
    edits: [edit(missing, "    await of.fetching.look();\n", "")],
    needs: forsaken,
  },
  {
    name: "asks-for-no-share",
    lacks: "a member that was away asks for its share of a key",
    edits: [edit(missing, "    if (!isStopped) await askShares(chain, of, peers);\n", "")],
    needs: forsaken,
  },
  {
    name: "takes-any-ciphertext",
    lacks: "a member that was away takes what its origin sends, or f + 1 members alike",
    edits: [
      edit(
        "tools/node/disclosures/missing/alike.ts",
        "const isEnough = from === origin || alike >= needed;",
        "const isEnough = from === origin || alike > 0;",
      ),
    ],
    needs: { ...deceived, isolated: true },
  },
  {
    name: "takes-ciphertexts-of-anybody",
    lacks: "a ciphertext is taken from the origin of the temporary block alone",
    edits: [edit(sealedAhead, "if (origin !== self) return", 'if (origin === "") return')],
    needs: deceived,
  },
  {
    name: "one-ciphertext-a-record",
    lacks: "what one origin has made of a record makes no other one's go",
    edits: [
      edit(
        sealedAhead,
        "store.get(sealedDisclosures, keyOf(chain, read, record)) !== undefined;",
        "store.range(sealedDisclosures, hashRange(chain, kidOf(record), { from: record.seq, to: record.seq })).length > 0;",
      ),
      edit(sealedAhead, "import { hashKey, makerKey }", "import { hashKey, hashRange, makerKey }"),
    ],
    needs: deceived,
  },
];
