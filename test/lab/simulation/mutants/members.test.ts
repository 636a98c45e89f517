import { credentialMutants } from "../../../../tools/lab/simulation/mutants/credential-mutants.js";
import { evidenceMutants, memberMutants } from "../../../../tools/lab/simulation/mutants/member-mutants.js";
import { regainingMutants } from "../../../../tools/lab/simulation/mutants/regaining-mutants.js";
import { rulingMutants } from "../../../../tools/lab/simulation/mutants/ruling-mutants.js";
import { verifierMutants } from "../../../../tools/lab/simulation/mutants/verifier-mutants.js";
import { catchEach } from "./catching.js";

catchEach(evidenceMutants);
catchEach(memberMutants);
catchEach(rulingMutants);
catchEach(credentialMutants);
catchEach(regainingMutants);
catchEach(verifierMutants);
