import { contractMutants } from "../../../../tools/lab/simulation/mutants/contract-mutants.js";
import { catchEach } from "./catching.js";

catchEach(contractMutants);
