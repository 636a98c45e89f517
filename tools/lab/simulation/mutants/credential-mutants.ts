// Rules of what a credential must be taken away, one at a time. Those of suspended and ended meters stand in ruling-mutants.ts, those of
// roles in operation-mutants.ts.

import type { Mutant } from "./mutant.js";
import { edit } from "./mutant.js";
import { impersonated, lapsed, revoking, twoRoled } from "./ordeals.js";

const credential = "src/wire/credential.ts";
const admission = "tools/node/ingest/admission.ts";
const execution = "tools/ledger/execution.ts";

export const credentialMutants: readonly Mutant[] = [
  {
    name: "seals-revoked",
    lacks: "no record of a revoked meter is sealed",
    edits: [
      edit(
        "tools/ledger/governance.ts",
        '  if (revokedAt !== undefined && revokedAt <= judgedAt) return "revoked";\n',
        "",
      ),
    ],
    needs: revoking,
  },
  {
    name: "seals-expired",
    lacks: "no record is sealed when its meter's credential has ended, whoever admitted it",
    edits: [edit(execution, "    isInTerm(state, time_ms) && ", "    ")],
    needs: lapsed,
  },
  {
    name: "takes-expired",
    lacks: "a credential has not ended",
    edits: [
      edit(admission, "if (now_s < credential.notBefore_s || now_s >= credential.expires_s) {", "if (now_s < 0) {"),
      edit(execution, "    isInTerm(state, time_ms) && ", "    "),
      edit(execution, " || !isInTerm(term, run.place.time_ms)) return false;", ") return false;"),
    ],
    needs: impersonated,
  },
  {
    name: "never-prolongs",
    lacks: "a later credential of a meter takes the place of the one on the chain",
    edits: [
      edit(
        execution,
        "if (offered.expires_s <= known.until_s) return false;",
        "if (offered.expires_s > 0) return false;",
      ),
    ],
    needs: lapsed,
  },
  {
    name: "takes-foreign",
    lacks: "a credential of another network is none",
    edits: [edit(credential, "if (credential.issuer !== issuerName(issuer)) {", 'if (credential.issuer === "") {')],
    needs: impersonated,
  },
  {
    name: "takes-forged",
    lacks: "a credential is signed by the authority",
    edits: [
      edit(
        credential,
        "if (!verifySign1(message, issuingKey(claims, credential, issuer, verify), verify))",
        "if (!verifySign1(message, issuingKey(claims, credential, issuer, verify), () => verify !== undefined))",
      ),
    ],
    needs: impersonated,
  },
  {
    name: "takes-any-service",
    lacks: "a credential permits the chain's service",
    edits: [
      edit(
        "tools/node/chain/batches/verification.ts",
        "credential.services.includes(chain.service);",
        "credential.services.length > 0;",
      ),
      edit(
        admission,
        "if (!credential.services.includes(record.claims.service)) {",
        "if (credential.services.length === 0) {",
      ),
      edit(execution, "if (!credential.services.includes(run.place.service) || ", "if ("),
    ],
    needs: impersonated,
  },
  {
    name: "verifies-by-the-first",
    lacks: "a member judges a record by the credential that its temporary block brings",
    edits: [
      edit(
        "tools/node/chain/batches/verification.ts",
        "brought.get(meter) ?? onChain(record);",
        "onChain(record) ?? brought.get(meter);",
      ),
    ],
    needs: twoRoled,
  },
  {
    name: "cuts-what-is-forbidden",
    lacks: "an origin puts no record into a temporary block that its meter may not sign any more",
    edits: [
      edit(
        "tools/node/chain/batches/origin/step.ts",
        "return holder === undefined || roleComplaint(holder, record.type) === undefined;",
        'return holder === undefined || roleComplaint(holder, record.type) !== "";',
      ),
    ],
    needs: twoRoled,
  },
  {
    name: "seals-what-is-forbidden",
    lacks: "the chain seals what the credential permits that counts there",
    edits: [
      edit(
        "tools/ledger/permission.ts",
        "return roleComplaint(parseCredential(counts), type) === undefined;",
        'return roleComplaint(parseCredential(counts), type) !== "";',
      ),
    ],
    needs: twoRoled,
  },
];
